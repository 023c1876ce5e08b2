"""What a reader can search for: the records of the site's search index, read from staged notebooks, and in what order Quarto's search shows them.

A record is a page, a section of it, or a function or class that it documents. Quarto's own index has the import cells, and no functions, so that the
page of `watch` came 27th for its name. The order is that of Fuse.js with Quarto's options; its near misses (one letter wrong in ten) are left out here.
"""
import ast, html, json, posixpath, re, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import nb as N


def name_of(page):
    "The HTML file that is made of a staged file: checks/10_wgan.ipynb gives checks/wgan.html"
    folder, base = posixpath.split(page)
    return posixpath.join(folder, re.sub(r'^\d+[a-zA-Z0-9]*_', '', base.lower()).rpartition('.')[0] + '.html')


def up(page):
    "What leads from a page to the top folder"
    return '../'*page.count('/')


def anchors(titles):
    "The identifiers that pandoc gives to headings, in their order"
    out = []
    for t in titles:
        t = re.sub(r'(`[^`]*`)|-{2,}|\.\.\.', lambda m: m[1] or '', t)                # typographic dashes and dots outside code
        t = re.sub(r'[*`]|\[([^\]]*)\]\([^)]*\)', lambda m: m[1] or '', t)
        t = re.sub(r'[^\w\s.-]', '', re.sub(r'\$([^$]*)\$', r'\1', t).replace('\\', '')).lower()
        t = re.sub(r'^[^a-z]+', '', re.sub(r'\s+', '-', t.strip())) or 'section'
        k = t
        for n in range(1, 99):
            if k not in out: break
            k = f'{t}-{n}'
        out.append(k)
    return out


class Heading(dict):
    "A heading of a page: level, title, anchor, the name it documents if any, its signature, its one line"
    __getattr__ = dict.get


def headings(nb):
    "[(cell number, Heading)]: of the text, and of the functions and classes that nbdev shows"
    found = []
    for i, c in enumerate(nb['cells']):
        if c['cell_type'] == 'markdown':
            text = re.sub(r'(?ms)^(```|~~~).*?^\1\s*$', '', c['source'])
            for m in re.finditer(r'(?m)^(#{1,6})\s+(.+?)\s*(?:\{#([\w.:-]+)[^}]*\})?\s*$', text): found.append((i, Heading(level=len(m[1]), title=m[2], given=m[3])))
        for text in _shown(c):
            m = re.search(r'(?m)^(#{2,5}) (\S+)$', text)
            if not m: continue
            signature = re.search(r'(?ms)^```python\n(.*?)^```', text)
            line = re.search(r'(?m)^\*(.+)\*$', text)
            found.append((i, Heading(level=len(m[1]), title=m[2], name=m[2].replace('\\', ''), signature=signature[1] if signature else '', line=line[1] if line else '')))
    for (_, h), a in zip(found, anchors([h.given or h.title for _, h in found])): h['anchor'] = h.given or a
    return found


def _shown(cell):
    "What show_doc shows in a cell"
    if cell['cell_type'] != 'code' or not re.search(r'(?m)^show_doc\(', cell['source']): return []
    return [N.text(o['data']['text/markdown']) for o in cell.get('outputs', []) if 'text/markdown' in o.get('data', {})]


def front(nb):
    "The front matter of a staged notebook: {key: value}, and the cell"
    c = nb['cells'][0]
    if c['cell_type'] != 'raw': return {}, None
    text = re.sub(r'\n[ \t]+', ' ', re.sub(r'\\\n\s*(?:\\(?= ))?', '', c['source']))
    return {m[1]: _scalar(m[2].strip()) for m in re.finditer(r'(?m)^([\w-]+): *(.*)$', text)}, c


def _scalar(text):
    "A string of YAML, in quotes or without"
    if text[:1] == '"':
        return json.loads(re.sub(r'\\x([0-9A-Fa-f]{2})', r'\\u00\1', text))
    return text[1:-1].replace("''", "'") if text[:1] == "'" else text


def only_imports(src):
    "Whether code consists of imports"
    try: body = ast.parse(src).body
    except SyntaxError: return False
    return bool(body) and all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in body)


GREEK = dict(alpha='α', beta='β', gamma='γ', delta='δ', epsilon='ε', varepsilon='ε', eta='η', theta='θ', lambda_='λ', mu='μ', nu='ν', pi='π', rho='ρ', sigma='σ', tau='τ', phi='φ', varphi='φ', chi='χ', psi='ψ', omega='ω',
             Delta='Δ', Gamma='Γ', Lambda='Λ', Sigma='Σ', Phi='Φ', Psi='Ψ', Omega='Ω', nabla='∇', partial='∂', infty='∞', sum='∑', prod='∏', int='∫', in_='∈', le='≤', leq='≤', ge='≥', geq='≥', ne='≠', approx='≈', sim='~', to='→',
             times='×', cdot='·', pm='±', ldots='…', dots='…', cdots='…', mid='|', lVert='‖', rVert='‖', sqrt='√', log='log', exp='exp', max='max', min='min', sup='sup', inf='inf')


def said(tex):
    "A formula in plain letters, for a snippet"
    tex = re.sub(r'\\(?:tag|label)\{[^{}]*\}|\\(?:left|right|big|Big|bigl|bigr|quad|qquad|displaystyle)(?![a-zA-Z])|\\[,;:! ]|\\\\|&', ' ', tex)
    for _ in range(4):
        tex = re.sub(r'\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}', r'\1/\2', tex)
        tex = re.sub(r'\\(?:mathbb|mathcal|mathrm|mathbf|boldsymbol|text|textrm|operatorname|hat|bar|tilde|widehat|underbrace|overline|mathit|bm)\*?\{([^{}]*)\}', r'\1', tex)
        tex = re.sub(r'([_^])\{([^{}]*)\}', r'\1\2', tex)
    tex = re.sub(r'\\(?:begin|end)\{\w+\*?\}', ' ', tex)
    tex = re.sub(r'\\([a-zA-Z]+)', lambda m: GREEK.get(m[1], GREEK.get(m[1] + '_', '')), tex)
    return ' '.join(re.sub(r'[{}\\$]', '', tex).split())


def words(text):
    "Markdown as plain text: no TeX, no addresses, no markup"
    text = re.sub(r'(?s)<(script|style|svg)\b.*?</\1>|<!--.*?-->', ' ', text)
    text = re.sub(r'(?s)\$\$(.+?)\$\$', lambda m: f' {said(m[1])} ', text)
    text = re.sub(r'\$([^$\n]+)\$', lambda m: said(m[1]), text)
    text = re.sub(r'!\[[^\]]*\]\([^)]*\)(\{[^}]*\})?', ' ', text)
    text = re.sub(r'\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^)]*\)(\{[^}]*\})?', r'\1', text)
    text = re.sub(r'(?m)^(:::.*|```.*|~~~.*|#{1,6} .*|---+|\|[\s|:-]+\|)$', ' ', text)
    return ' '.join(re.sub(r'<[^>]+>|\*\*|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|\|', ' ', text).replace('\\*', '*').replace('\\_', '_').split())


IMPORT = re.compile(r'(?m)^(?:import \w.*|from [\w.]+ import .*)\n?')


def records(nb, page):
    "What search finds on a page: the page, its sections, and every function and class that it documents, without imports, tests and outputs"
    title, desc, heads = front(nb)[0].get('title', page), front(nb)[0].get('description', ''), headings(nb)
    href, texts, api = name_of(page), [['', '', [words(desc)], []]], []
    at = {}
    for i, h in heads: at.setdefault(i, []).append(h)
    for i, c in enumerate(nb['cells'][1:], 1):
        tops = [h for h in at.get(i, []) if h.level <= 2 and not h.name]
        if tops: texts.append([f'#{tops[0].anchor}', words(tops[0].title), [], []])
        api += [h for h in at.get(i, []) if h.name]
        if c['cell_type'] == 'markdown': texts[-1][2].append(words(c['source']))
        elif c['cell_type'] == 'code' and not _shown(c):
            d, src = N.directives(c['source'])
            hidden = 'false' in (d.get('echo'), d.get('include')) or 'code-fold' in d or page.startswith('checks/')
            if not hidden and not only_imports(src) and not re.search(r'(?m)^\s*(assert |test_|with ExceptionExpected)', src): texts[-1][3].append(IMPORT.sub('', src).strip())
    made = [(anchor, section, '\n'.join(filter(None, [' '.join(filter(None, prose)), *code]))) for anchor, section, prose, code in texts]      # prose is the first line
    made += [(f'#{h.anchor}', h.name, f'{words(h.line)}\n{h.signature.strip()}') for h in api]
    return [dict(objectID=href + a, href=href + a, title=title, section=html.escape(s, quote=False), text=html.escape(t, quote=False)) for a, s, t in made if t]


EXACT, KEYS = 2.220446049250313e-16, (('title', .4), ('section', .4), ('text', .2))


def rank(query, index):
    "Addresses of the records that hold `query`, in the order in which the site shows them"
    q, found = query.lower(), []
    for k, r in enumerate(index):
        total, hit = 1., False
        for key, weight in KEYS:
            v = r[key].lower()
            if q not in v: continue
            hit = True
            total *= (EXACT if v == q else .001)**(weight*round(len(re.findall('[^ ]+', v))**-.5, 3))
        if hit: found.append((total, k, r['href']))
    return [href for _, _, href in sorted(found)]


# what readers look for -> the page that must come first, where it is not the one that documents a function or class of this name
QUERIES = {'WGANGP': None, 'watch': None, 'grid': None, 'features': None, 'build': None, 'gradient penalty': 'wgan.html', 'penalty': 'wgan.html', 'frechet_distance': None, 'GlyphJudge': None}
TEX = re.compile(r'\\[a-zA-Z]{2,}|\$[^$\n]+\$')


def faults(index, where):
    "Names of the library, and other queries, for which another page comes first; records with TeX or imports. `where` has the pages of each name"
    out, pages = [], {p for ps in where.values() for p in ps}
    for query, page in {**dict.fromkeys(where), **QUERIES}.items():
        want = {page} if page else {p for n, ps in where.items() if n.lower() == query.lower() for p in ps}
        if not want & pages: continue
        found = [h.partition('#')[0] for h in rank(query, index)]
        if not found or found[0] not in want: out.append(f'search for {query!r}: {sorted(want)[0]} comes {min([found.index(p) + 1 for p in want if p in found], default="nowhere")}, first {found[:1]}')
    for r in index:
        if TEX.search(r['text'].split('\n', 1)[0]): out.append(f"search: TeX in the record of {r['href']}: {TEX.search(r['text'])[0][:60]}")
        if IMPORT.search(r['text']): out.append(f"search: imports in the record of {r['href']}")
    return out
