"""What prose must not hold: a result typed by hand, a word that has to be decoded.

    python tools/prose.py [PAGE ...]       what is wrong, a line each

A number with a decimal point or a per cent sign, and a whole number with the unit of a result (FID, IS, bits, nats, points, ms),
is found in the markdown cells of every notebook, outside of formulas, code, tables' headers and addresses. Results are drawn from
records or from papers.yaml by a code cell; what else is a number (a setting, a number of a proof, a section of a book) stands in
prose.txt with its reason. Not looked at: exercises, whose targets their checks hold, and a number that follows the name of a setting
(rate, step, weight, bound, seed, ...) within a few words of the same sentence. Words are those that our rules of language replace: in titles
and headings, and in prose where no other sense is possible. prose.txt: `PAGE: text around it  # reason`; a line that excuses nothing is itself
wrong.
"""
import re, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import nb as N

ROOT = Path(__file__).parents[1]
UNITS = r'(?:FID|IS|KID|bits?|nats?|(?:percentage )points?(?= (?:better|worse|more|less|higher|lower|above|below))|ms|dB|images a second)\b'
RESULT = re.compile(rf'(?<![\w.,/^-])(?:\d[\d,]*\.\d+(?:e-?\d+)?|\d[\d,]*\s?(?:%|per cent\b)|\d[\d,]*(?:\.\d+)? (?={UNITS}))')
SETTING = re.compile(r'(?:\b(?:rates?|slopes?|steps?|noises?|deviations?|decay|weights?|variances?|bounds?|momentum|betas?|seeds?|sections?|cosines|'
                     r'correlation|start(?:s|ed)?|version|settings?|Crops of|sizes?|above|threshold|probability|factor|times|probabilities|smoothing)\b|=\s*$|at \s*$)'
                     r'[^.;:]{0,40}$')
CONFIDENCE = re.compile(r'95\s?%')
FORMULA = re.compile(r'\$\$.*?\$\$|\$[^$]*\$|```.*?```|`[^`]*`|\]\([^)]*\)|<!--.*?-->|<[a-zA-Z/][^>]*>', re.S)
ANYWHERE = re.compile(r'\b(?:carriers?|undercuts?|its heirs|asks nothing of the host|has no negative direction|'
                      r'met or crushed|knowledge with a handle|in the names of others|earns? its keep)\b', re.I)
TITLES = re.compile(r'\b(?:laws?|slopes?|(?<!standard )deviations?|told(?! from chance)|heard|sure|loud|prices?|earth|carriers?|undercuts?|killed|'
                    r'halved|the trouble|what we found|who knows)\b', re.I)
HEADING = re.compile(r'^(?:#+ .*|> .*)$', re.M)


def without_formulas(text):
    "The text with formulas, code, addresses and tags blanked, places kept"
    return FORMULA.sub(lambda m: re.sub(r'[^\n]', ' ', m[0]), text)


def around(text, m): return ' '.join(text[max(0, m.start() - 45):m.end() + 30].split())


def found(path):
    "(kind, text around it) of each place of a notebook"
    exercises = False
    for c in N.read(path)['cells']:
        text = N.text(c['source'])
        if c['cell_type'] == 'markdown':
            plain = without_formulas(text)
            sections = [(0, exercises)] + [(h.start(), 'Exercises' in h[1]) for h in re.finditer(r'(?m)^## (.*)', plain)]
            exercises = sections[-1][1]
            for m in RESULT.finditer(plain):
                of_exercise = [e for at, e in sections if at <= m.start()][-1]
                line = plain[plain.rfind('\n', 0, m.start()) + 1:m.start()]
                setting = SETTING.search(plain[:m.start()]) or CONFIDENCE.match(plain, m.start()) or of_exercise
                if not (setting or re.match(r'#+ ', line)): yield 'typed', around(text, m)
            for m in ANYWHERE.finditer(plain): yield 'word', around(text, m)
        for h in HEADING.finditer(text if c['cell_type'] == 'markdown' else ''):
            for m in TITLES.finditer(without_formulas(h[0])): yield 'word', ' '.join(h[0].split())


def excuses(root):
    "[(page, text)] of prose.txt"
    path = Path(root)/'tools'/'prose.txt'
    lines = [x for x in path.read_text(encoding='utf-8').splitlines() if x.strip() and x[0] != '#'] if path.is_file() else []
    wrong = [x for x in lines if not re.match(r'\S+: .+  # \S', x)]
    if wrong: raise SystemExit(f'tools/prose.txt: not "PAGE: text  # reason": {wrong[0]}')
    return [tuple(re.match(r'(\S+): (.+?)  # ', x).groups()) for x in lines]


def faults(root, pages=()):
    "What is wrong, a line each"
    allowed, used, out = excuses(root), set(), []
    for p in N.notebooks(root):
        name = N.name(root, p).removesuffix('.ipynb')
        if pages and name not in pages: continue
        for kind, text in found(p):
            excuse = [(n, t) for n, t in allowed if n in (name, '*') and t in text]
            used.update(excuse)
            if not excuse: out.append(f'{name}: {"a number typed by hand" if kind == "typed" else "a word to avoid"}: {text}')
    return out + ([] if pages else [f'tools/prose.txt: excuses nothing: {n}: {t}' for n, t in allowed if (n, t) not in used])


if __name__ == '__main__':
    lines = faults(ROOT, sys.argv[1:])
    print(*lines, sep='\n')
    print(f'{len(lines)} wrong')
    sys.exit(bool(lines))
