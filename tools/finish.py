"""What nbdev and Quarto leave to do for the site, with Python's standard library alone. Quarto runs it twice, as _quarto.yml asks, for `make docs` and for nbdev_docs:

    python tools/finish.py before      in the folder of staged notebooks, before they are rendered
    python tools/finish.py after       in the same folder, on the pages that were made

Before: imports and exported sources are folded, the functions of a cell come in their order, HTML outputs become raw HTML (Quarto would load
jquery and requirejs for them), links by nbdev become relative, pictures in HTML become files, every page gets a card, and the index of the API, the
page for wrong addresses, the cards of the front page and the search index are written. `tools/pages.py check` does the same without Quarto.
After: the search index takes the place of Quarto's, MathJax is read from the site, and the links that need the repository's address are put in.
"""
import ast, base64, html, json, posixpath, re, shutil, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import colab
import nb as N
import vendor
from search import front, headings, name_of, only_imports, records, up

TOP = Path(__file__).resolve().parent.parent
SEARCH, CARDS, MEDIA = 'search-index.json', 'cards', 'media'
CARD, SITE_CARD = f'{CARDS}/{{}}.png', 'images/readme-1.png'
RESULTS = re.compile(r'\bResults\b|\bdid not work\b')
LONG = 10     # lines of code, from which a cell of results is folded
WORDS = {'`train`', '`half`', '`channels`', '`seeds`'}   # of splits, variants, options and columns; nbdev takes them for functions of that name
MANY = 6      # bars of a table's row with many columns
CDN = 'https://cdn.jsdelivr.net/npm/mathjax@3/es5/'


def in_order(nb, names):
    "Put functions that nbdev shows one after another into the order of their source: it turns those of one cell round"
    place = {n: k for k, n in enumerate(names)}
    cells, out, run = nb['cells'], [], []
    key = lambda c: place.get(re.search(r'(?m)^show_doc\((\w[\w.]*)', c['source'])[1], len(place))
    for c in [*cells, None]:
        if c and c['cell_type'] == 'code' and re.search(r'(?m)^show_doc\(\w', c['source']): run.append(c); continue
        out += sorted(run, key=key)
        run = []
        if c: out.append(c)
    nb['cells'] = out


def defined(nb):
    "The names that a notebook defines in exported cells, in order"
    found = []
    for _, d, src, _ in N.code(nb):
        if not N.EXPORT & d.keys(): continue
        try: tree = ast.parse(src)
        except SyntaxError: continue
        for n in tree.body:
            if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)): found.append(f'{N.patched(n)}.{n.name}' if N.patched(n) else n.name)
    return found


def fold(cell):
    "Fold imports and exported sources: a reader opens what he needs"
    d, src = N.directives(cell['source'])
    if d.get('echo') == 'false' or d.get('include') == 'false': return
    if 'code-fold' in d: cell['source'] = re.sub(r'(?m)^(#\| code-fold:) show$', r'\1 true', cell['source'])
    elif only_imports(src): cell['source'] = f'#| code-fold: true\n#| code-summary: "Imports"\n{cell["source"]}'


def join_imports(nb):
    "One cell where cells of imports follow each other: a page has one fold for them"
    out = []
    for c in nb['cells']:
        if plain_imports(c) and out and plain_imports(out[-1]): out[-1]['source'] = f'{out[-1]["source"].rstrip()}\n{N.directives(c["source"])[1].strip()}'
        else: out.append(c)
    nb['cells'] = out


def plain_imports(cell):
    "Whether a cell shows imports and nothing else"
    if cell['cell_type'] != 'code' or cell.get('outputs'): return False
    d, src = N.directives(cell['source'])
    return not d.keys() - N.EXPORT and only_imports(src)


def fold_results(nb):
    "Fold the long cells of sections of results, and of pages of results most cells: the table or picture comes first, its code is a click away"
    level = int(bool(RESULTS.search(front(nb)[0].get('title', ''))))
    for c in nb['cells']:
        if c['cell_type'] == 'markdown':
            for mark, words in re.findall(r'(?m)^(#+) (.*)', re.sub(r'(?ms)^```.*?^```', '', c['source'])):
                if len(mark) <= level: level = 0
                if not level and RESULTS.search(words): level = len(mark)
        elif level and c['cell_type'] == 'code':
            d, src = N.directives(c['source'])
            lines = len(src.strip().split('\n'))
            if lines >= (3 if level == 1 else LONG) and not d.keys() & {*N.EXPORT, 'code-fold', 'echo', 'include'}:
                c['source'] = f'#| code-fold: true\n#| code-summary: "Code ({lines} lines)"\n{c["source"]}'


def fold_answers(nb):
    "Fold what a solution shows together with its code: code-fold leaves the answer in sight"
    out = []
    for c in nb['cells']:
        d = N.directives(c['source'])[0] if c['cell_type'] == 'code' else {}
        said = d.get('code-summary', '').strip('"')
        if 'code-fold' not in d or not said.startswith('A solution') or not c.get('outputs'): out.append(c); continue
        c['source'] = re.sub(r'(?m)^#\| code-(?:fold|summary):.*\n', '', c['source'])
        text = lambda s, k: dict(cell_type='markdown', metadata={}, source=s, **({'id': f'{c["id"]}-{k}'} if 'id' in c else {}))
        out += [text(f'<details class="answer"><summary>{html.escape(said)}</summary>', 'opens'), c, text('</details>', 'closes')]
    nb['cells'] = out


def raw_html(cell, page, folder, count):
    "HTML outputs as raw HTML in Markdown, with their pictures as files"
    for o in cell.get('outputs', []):
        data = o.get('data', {})
        if 'text/html' not in data or 'text/markdown' in data: continue
        def put(m):
            path = f'{MEDIA}/{_slug(page)}-{next(count)}.{m[1]}'
            _write(folder/path, base64.b64decode(m[2]))
            return f'src="{up(page)}{path}"'
        text = re.sub(r'src="data:image/(png|jpeg|webp|gif);base64,([^"]+)"', put, N.text(data['text/html']))
        o['data'] = {'text/markdown': f'\n\n````{{=html}}\n{text}\n````\n\n'}


def _slug(page):
    "A page's name without folders: checks/10_wgan.ipynb gives checks-10_wgan"
    return page.rpartition('.')[0].replace('/', '-')


def _write(path, data):
    "A file, and its folder"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data) if isinstance(data, bytes) else path.write_text(data, encoding='utf-8')


def relative(text, page, site, known):
    "Text in which links to the site, as nbdev makes them of names in backticks, lead to a file; one to a private name that no page shows is none, and an ordinary word is no name"
    def put(m):
        label, target, anchor = m[1], m[2], m[3]
        if anchor and anchor.startswith('_') and anchor not in known.get(target, ()): return label
        if label in WORDS: return label
        return f'[{label}]({up(page)}{target}' + (f'#{anchor}' if anchor else '') + ')'
    text = re.sub(rf'(?<=\[)([^\[\]\n]*)\[(`[^`\n]+`)\]\({re.escape(site)}[^)\s]*\)([^\[\]\n]*)(?=\]\()', r'\1\2\3', text)       # a name within a link of ours
    return re.sub(rf'\[((?:[^\[\]]|\[[^\]]*\])*)\]\({re.escape(site)}([\w./-]+?\.html)(?:#([^)\s]+))?\)', put, text)


def unlinked(text):
    "Text without links in its blocks of code, where nbdev makes them of names in backticks in the comments of a signature"
    return re.sub(r'(?ms)^(```+)python\n.*?^\1$', lambda m: re.sub(r'\[(`[^`\n]+`)\]\([^)\s]+\)', r'\1', m[0]), text)


def closer(text):
    "Code in whose lines above 75 characters, which break on the site, a comment in a column of its own comes nearer"
    return '\n'.join(re.sub(r'(?<=\S) {3,}(?=# [^\'"]*$)', '  ', l) if len(l) > 75 else l for l in text.split('\n'))


def together(text):
    """Text whose tables do not break a result between its mean, its spread and its number: no-break spaces in `0.34 ± 0.09 (n = 3)`; where columns are many,
    the number may stand below. The two hyphens of an option stay two, outside of code too: pandoc would make a dash of them. A long path may be broken
    after a slash, or the other columns would be a word wide"""
    def row(line):
        found = r'(?<=\S) ± (?=[\d.])|(?<=\(n) = (?=\d)' + r'|(?<=\d)[ ](?=\(n\b)'*(line.count('|') <= MANY)
        line = re.sub(r'(`[^`]*`)|(?<![\w-])--(?=\w)', lambda m: m[1] or r'\-\-', line)
        line = re.sub(r'(`[^`]*`|\]\([^)]*\)|<[^>]*>)|[\w.-]+(?:/[\w.-]+){2,}', lambda m: m[1] or m[0].replace('/', '/<wbr>'), line)
        return re.sub(found, lambda m: m[0].replace(' ', '\u00a0'), line)
    return '\n'.join(row(l) if l.startswith('|') else l for l in text.split('\n'))


def undescribed(text):
    "Text of a function without the line that Python has in place of a docstring"
    lines = r'Initialize (?:self\.  See help|internal Module state)|Call self as a function\.|Return (?:repr|str|len)\(self\)|Implement (?:iter|next)\(self\)'
    return re.sub(rf'(?m)^\*(?:{lines})[^*]*\*$', '', text)


def starred(text):
    "What nbdev shows of a function, its line as it is written: the asterisk of `(N, 64*width)` would end the italics, `__init__` would be bold"
    def literal(s): return re.sub(r'(`[^`]*`)|(?<!\\)(\*|__)', lambda m: m[1] or '\\' + '\\'.join(m[2]), s)
    if not text.startswith('---\n'): return text
    # nbdev takes the first line for the whole sentence: what goes on below belongs to it
    text = re.sub(r'(?m)^\*(?!\*)(.+)\*\n((?:[^\s|#`:>-].*\n?)+)', lambda m: f'*{m[1]} ' + ' '.join(m[2].split('\n')).strip() + '*\n', text)
    return re.sub(r'(?m)^\*(?!\*)(.+)\*$', lambda m: f'*{literal(m[1])}*', text)


def signature(text):
    "What nbdev shows of a function, its signature as a reader would write it: no module `__main__`, no types of defaults, no folders of this machine, no digits of rounding"
    def put(m):
        s = re.sub(r'\b__main__\.', '', m[0])
        s = re.sub(r':(?:NoneType|builtin_function_or_method|function|type)(?==)', '', s)
        s = re.sub(r":PosixPath=Path\('(/[^']*/)?", lambda m: ":Path=Path('" + '.../'*bool(m[1]), s)
        s = re.sub(r'\b\d+\.\d{9,}\b', lambda m: f'{float(m[0]):.6g}', s)
        head, bracket, tail = s.rpartition('\n)')                                  # lines below the result are the rest of its comment
        first, *more = tail.removesuffix('```').rstrip('\n').split('\n')
        return head + bracket + '\n'.join([first, *(l if l.lstrip().startswith('#') else f'# {l}' for l in more)]) + '\n```' if bracket else s
    return re.sub(r'(?ms)^```python\n.*?^```$', put, text) if text.startswith('---\n') else text


def described(text, page, folder):
    "Text in which each drawing without a description has its own title as one"
    def put(m):
        drawing = folder/posixpath.normpath(posixpath.join(posixpath.dirname(page), m[2]))
        if 'alt=' in (m[3] or '') or not drawing.is_file(): return m[0]
        title = re.search(r'(?s)<title[^>]*>(.*?)</title>', drawing.read_text(encoding='utf-8'))
        if not title: return m[0]
        alt = ' '.join(html.unescape(title[1]).split()).replace('"', "'")
        return f'![{m[1]}]({m[2]}){{fig-alt="{alt}"' + (f' {m[3][1:]}' if m[3] else '}')
    return re.sub(r'!\[([^\]]*)\]\(([^)\s]+\.svg)\)(\{[^}]*\})?', put, text)


def card(nb, page, folder):
    "The picture that stands for a page where its address is shown, and what it shows: the first picture, or the site's"
    for c in nb['cells']:
        for o in c.get('outputs', []):
            if 'image/png' not in o.get('data', {}): continue
            path = CARD.format(_slug(page))
            _write(folder/path, base64.b64decode(''.join(N.text(o['data']['image/png']).split())))
            return path, N.directives(c['source'])[0].get('fig-alt', '').strip('"')
    return SITE_CARD, ''


def api_page(found):
    "The index of the API, as Markdown: every public name with its line, by module"
    out = ['---', 'title: Index of the library', 'description: Every public function and class, by module, with the first line of its documentation', f'image: {SITE_CARD}', '---', '']
    for module, title, href, heads in found:
        heads = [h for h in heads if not h.name.rpartition('.')[2].startswith('_')]
        out += [f'## {module}', '', f'[{title}]({href})', '']
        out += [f'- [`{h.name}`]({href}#{h.anchor}): {h.line}' if h.line else f'- [`{h.name}`]({href}#{h.anchor})' for h in heads] + ['']
    return '\n'.join(out)


NOT_FOUND = '''---
title: This page is not here
description: The address is wrong, or the page has another name by now
search: false
toc: false
---

Try the search above, the list of pages at the side, or the [first page](/index.html). Every function and class stands in the [index of the library](/api.html).
'''


def chapter_cards(nb, pages, folder):
    "On the front page the table of chapters becomes cards: picture, title, minutes, what one learns"
    row = re.compile(r'^\|\s*\[([^\]]+)\]\(([\w/]+\.ipynb)\)\s*\|\s*([^|]*?)\s*\|\s*([^|]*?)\s*\|(?:\s*([^|]*?)\s*\|)?\s*$')
    for c in nb['cells']:
        if c['cell_type'] != 'markdown': continue
        lines = c['source'].split('\n')
        head = next((i for i, l in enumerate(lines) if re.match(r'\|\s*chapter\s*\|\s*minutes\s*\|', l)), None)
        if head is None: continue
        end = next((i for i in range(head + 2, len(lines)) if not row.match(lines[i])), len(lines))
        cards = []
        for l in lines[head + 2:end]:
            title, target, minutes, what, data = row.match(l).groups()
            picture = pages.get(target, (SITE_CARD, ''))[0]
            cards.append(f'::: {{.chapter-card}}\n[![]({picture}){{fig-alt="First picture of the chapter: {title}" .card-picture}}]({target})\n\n[{title}]({target})\n\n{what}\n\n[{minutes} min{", " + data if data else ""}]{{.card-time}}\n:::\n')
        c['source'] = '\n'.join([*lines[:head], ':::: {.chapter-cards}', *cards, '::::', *lines[end:]])
        return True
    return False


def store(nb, path):
    "Write a staged notebook with every text as a list of lines: of one string Quarto would drop the line ends"
    for c in nb['cells']:
        for o in c.get('outputs', []):
            if 'data' in o: o['data'] = {k: v.splitlines(True) if isinstance(v, str) and k.startswith('text/') else v for k, v in o['data'].items()}
    cells = [{**c, 'source': c['source'].splitlines(True)} for c in nb['cells']]
    path.write_text(json.dumps({**nb, 'cells': cells}, sort_keys=True, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')


def before(folder, root):
    "Prepare the staged notebooks in `folder`; may be run again. Returns the records of the search index"
    folder, root, cfg = Path(folder), Path(root), N.settings(root)
    site, lib = cfg['doc_host'] + cfg['doc_baseurl'] + '/', cfg['lib_name']
    staged = {p.relative_to(folder).as_posix(): N.read(p) for p in sorted(folder.rglob('*.ipynb')) if cfg['doc_path'] not in p.relative_to(folder).parts}
    shown = {n: headings(nb) for n, nb in staged.items()}
    known = {name_of(n): {h.anchor for _, h in hs} for n, hs in shown.items()}
    pictures = {n: card(nb, n, folder) for n, nb in staged.items()}
    found, index = [], []
    for n, nb in staged.items():
        source = root/'nbs'/n
        if not nb['metadata'].get('finished'):
            count = iter(range(1, 999))
            if source.is_file():
                nb_source = N.read(source)
                in_order(nb, defined(nb_source))
            join_imports(nb)
            fold_results(nb)
            if not n.startswith('checks/'): fold_answers(nb)
            for c in nb['cells']:
                if c['cell_type'] == 'markdown': c['source'] = described(relative(c['source'], n, site, known), n, folder)
                if c['cell_type'] == 'markdown': c['source'] = re.sub(r'(?ms)^```\w+\n.*?^```$', lambda m: closer(m[0]), c['source'])
                if c['cell_type'] != 'code': continue
                c['source'] = closer(c['source'])
                fold(c)
                raw_html(c, n, folder, count)
                for o in c.get('outputs', []):
                    data = o.get('data', {})
                    if 'text/markdown' in data: data['text/markdown'] = signature(starred(undescribed(together(unlinked(relative(N.text(data['text/markdown']), n, site, known))))))
            cell = front(nb)[1]
            if cell:
                path, alt = pictures[n]
                more = f'image: {up(n)}{path}\n' + (f'image-alt: {json.dumps(alt, ensure_ascii=False)}\n' if alt else '')
                cell['source'] = re.sub(r'\n---\s*$', lambda m: f'\n{more}---\n', cell['source'].rstrip().replace('\n\n---', '\n---'))
            if n == 'index.ipynb': chapter_cards(nb, pictures, folder)
            nb['metadata']['finished'] = True
            store(nb, folder/n)
        index += records(nb, n)
        module = N.default_exp(N.read(source)) if source.is_file() else None
        heads = [h for _, h in headings(nb) if h.name]
        if module and heads: found.append((f'{lib}.{module}', front(nb)[0].get('title', n), name_of(n), heads))
    _write(folder/'api.qmd', api_page(sorted(found)))
    _write(folder/'404.qmd', NOT_FOUND)
    for module, title, href, heads in found: index.append(dict(objectID=f'api.html#{module}', href='api.html', title='Index of the library', section=module, text=html.escape(', '.join(h.name for h in heads))))
    _write(folder/SEARCH, json.dumps(index, ensure_ascii=False))
    return index


def in_colab(page, git):
    "A page in which the link that shows the notebook is followed by one that opens it in Colab, where the notebook can install the library"
    def put(m):
        if not colab.PAGES.search(m[1].partition('/')[2]) or 'checks/' in m[1]: return m[0]
        return m[0] + f'<li><a href="https://colab.research.google.com/github/{git}/blob/{m[1]}" class="toc-action"><i class="bi bi-play-circle"></i>Open in Colab</a></li>'
    return re.sub(rf'<li><a href="https://github\.com/{re.escape(git)}/blob/([^"]+\.ipynb)" class="toc-action">.*?</a></li>', put, page)


def breakable(page):
    "A page whose lines break where a reader expects it: options stay whole, names in headings break at a dot or an underscore, and columns of sentences are not a word wide"
    whole = lambda m: m[1] + re.sub(r'(?<![\w-])--?[A-Za-z][\w-]*', r'<span class="option">\g<0></span>', m[2]) + m[3]
    page = re.sub(r'(?<!<pre>)(<code>)([^<]*-[^<]*)(</code>)', whole, page)
    names = lambda m: m[1] + re.sub(r'(<[^>]*>)|(?<=\w)([._])(?=\w)', lambda k: k[1] or f'{k[2]}<wbr>', m[2]) + m[3]
    page = re.sub(r'(<h[2-4][^>]*>)((?:(?!</h[2-4]>).)*)(</h[2-4]>)', names, page)
    def table(m): return m[0].replace('<table', '<table data-sentences', 1) if any(len(re.sub('<[^>]*>', '', c)) > 60 for c in re.findall(r'(?s)<td[^>]*>(.*?)</td>', m[0])) and m[0].count('<th') > 3*m[0].count('<thead') else m[0]
    return re.sub(r'(?s)<table.*?</table>', table, page)


def finished(page, name, git_url, local_maths):
    "A page of Quarto's without requests to other hosts, with the links that need the repository's address"
    page = re.sub(r'\s*<script src="https://[^"]*polyfill[^"]*"></script>', '', page)
    page = re.sub(r'(<script[^>]* src=")[^"]*mathjax/(tex-\w+(?:-full)?\.js)"', lambda m: f'{m[1]}{up(name) + "mathjax/" if local_maths else CDN}{m[2]}"', page)
    page = breakable(page)
    page = page.replace('href="https://github.com/"', f'href="{git_url}"').replace('href="https://github.com"', f'href="{git_url}"')
    return in_colab(page, git_url.removeprefix('https://github.com/'))


def after(folder, root):
    "Finish the pages that Quarto made"
    folder, cfg = Path(folder), N.settings(root)
    out = folder/cfg['doc_path']
    shutil.copy2(folder/SEARCH, out/'search.json')
    local = vendor.mathjax(out/'mathjax')
    if not local: print('finish.py: MathJax could not be put on the site: formulas will be loaded from another host', file=sys.stderr)
    for p in sorted(out.rglob('*.html')):
        page = p.read_text(encoding='utf-8')
        p.write_text(finished(page, p.relative_to(out).as_posix(), cfg['git_url'], local), encoding='utf-8')


if __name__ == '__main__':
    here = Path.cwd()
    project = here.parent if (here.parent/'settings.ini').is_file() else TOP
    if sys.argv[1:] == ['before']: before(here, project)
    elif sys.argv[1:] == ['after']: after(here, project)
    else: sys.exit('python tools/finish.py before | after: Quarto runs it')
