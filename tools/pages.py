"""The site. `python tools/pages.py build` makes it in _docs with Quarto; `check` (a test) stages every page with nbdev and converts it with pandoc.

Quarto turns a staged notebook into one Markdown text and hands that to pandoc; so does `markdown` here, and the tests then read
pandoc's syntax tree: formulas, links, pictures, anchors. Where Quarto is installed the test builds the real site as well.
"""
import ast, json, os, posixpath, re, shutil, subprocess, sys, tempfile, threading
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse
sys.path.insert(0, str(Path(__file__).parent))
import finish
import nb as N
import search


def stage(force=True):
    "Stage the notebooks of the project in the working directory with nbdev, as nbdev_docs does; returns the folder"
    from nbdev.quarto import refresh_quarto_yml
    from nbdev.serve import proc_nbs
    refresh_quarto_yml()
    sys.path.insert(0, os.getcwd())                # the processes that stage inherit it
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return Path(proc_nbs(force=force, n_workers=cores if len(N.notebooks('.')) > 8 else 0))      # a process costs more than a page


def markdown(nb, save=None):
    "A staged notebook as the one Markdown text that Quarto makes of it; `save` writes a picture and gives its path"
    parts = []
    for c in nb['cells']:
        if c['cell_type'] != 'code': parts.append(c['source']); continue
        d, src = N.directives(c['source'])
        if d.get('include') == 'false': continue
        out = []
        if d.get('echo') != 'false' and src.strip():
            block = _fence(src, 'python')
            opened = ' open' if d.get('code-fold') == 'show' else ''
            out.append(f"<details{opened}><summary>{d.get('code-summary', 'Code').strip(chr(34))}</summary>\n\n{block}\n\n</details>" if 'code-fold' in d else block)
        if d.get('output') != 'false': out += [x for x in (_output(o, d, save) for o in c.get('outputs', [])) if x]
        asis = d.get('output') == 'asis'
        label = f"#{d['label'].strip(chr(34))} " if 'label' in d else ''
        parts.append('\n\n'.join(out) if asis else '\n\n'.join([f'::::: {{{label}.cell}}', *out, ':::::']))
    return '\n\n'.join(p for p in parts if p.strip()) + '\n'


def saver(folder, page):
    "A function that writes a picture of a page as a file and gives its path from there"
    from base64 import b64decode
    count = iter(range(1, 9999))
    def save(mime, body):
        path = f"{finish.MEDIA}/{page.replace('/', '-')}-{next(count)}.{'svg' if 'svg' in mime else mime.partition('/')[2]}"
        (folder/path).parent.mkdir(exist_ok=True)
        (folder/path).write_bytes(b64decode(body))
        return search.up(page) + path
    return save


def _fence(text, lang):
    "A code block whose fence is longer than any inside"
    n = max([2, *(len(m) for m in re.findall(r'`{3,}', text))]) + 1
    return f"{'`'*n} {{.{lang}}}\n{text.rstrip()}\n{'`'*n}"


def _output(o, d, save=None):
    "One stored output as Markdown"
    data = {k: N.text(v) for k, v in o.get('data', {}).items()}
    if o['output_type'] == 'stream': return _fence(N.text(o['text']), 'output')
    for mime in ('text/markdown', 'text/latex'):
        if mime in data: return data[mime]
    if 'text/html' in data: return '```{=html}\n' + data['text/html'] + '\n```'
    for mime in ('image/svg+xml', 'image/png', 'image/jpeg'):
        if mime in data:
            from base64 import b64encode
            body = b64encode(data[mime].encode()).decode() if 'svg' in mime else ''.join(data[mime].split())
            alt = d.get('fig-alt', '').strip('"').replace('"', "'")
            return f'![]({save(mime, body) if save else f"data:{mime};base64,{body}"}){{alt="{alt}"}}'
    return _fence(data['text/plain'], 'output') if 'text/plain' in data else None


ONE = threading.Lock()


def pandoc(args, text):
    "Run pandoc; returns what it wrote and what it complained about"
    import pypandoc
    with ONE: path = pypandoc.get_pandoc_path()          # while it tries the pandocs that it finds, another thread would be given the first of them
    r = subprocess.run([path, *args], input=text, capture_output=True, encoding='utf-8')
    return r.stdout, r.stderr if r.returncode == 0 else f'{r.stderr}\npandoc: exit status {r.returncode}'


class _Html(HTMLParser):
    "Links, pictures and anchors of raw HTML"
    def __init__(self, html):
        super().__init__()
        self.links, self.ids, self.asks, self.mute = [], set(), [], []
        self.feed(html)
    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if a.get('id'): self.ids.add(a['id'])
        self.links += [a[k] for k in ('href', 'src') if a.get(k)]
        if tag == 'img' and 'alt' not in a: self.mute.append(a.get('src', ''))
        if a.get('src') and tag != 'a': self.asks.append(a['src'])
        if tag == 'link' and a.get('href'): self.asks.append(a['href'])


class Page:
    "What a Markdown text holds, read from pandoc's syntax tree"
    def __init__(self, text):
        self.math, self.links, self.ids, self.refs, self.asks, self.mute, self.wrong, self.tree = [], [], set(), [], [], [], [], None
        tree, err = pandoc(['-f', 'markdown+autolink_bare_uris', '-t', 'json'], text)
        self.wrong += _said(err)
        tree = json.loads(tree or '{"blocks": []}')
        self._walk(tree['blocks'])
        if tree['blocks']:
            html, err = pandoc(['-f', 'json', '-t', 'html5', '--mathml'], json.dumps(tree))
            self.wrong += _said(err)
            self.tree = tree

    def _walk(self, x):
        if isinstance(x, list):
            for e in x: self._walk(e)
        if not isinstance(x, dict): return
        t, c = x.get('t'), x.get('c')
        if t == 'Math':
            self.math.append(c[1])
            self.wrong += unbalanced(c[1])
            c[1] = re.sub(r'\\(tag|label)\{[^{}]*\}', '', c[1])        # MathJax knows them, pandoc does not
        elif t in ('Link', 'Image'):
            self.links.append(c[2][0])
            if t == 'Image':
                self.asks.append(c[2][0])
                said = dict(c[0][2])
                if not {'alt', 'fig-alt'} & said.keys() and (not c[1] or c[2][0].endswith('.svg')): self.mute.append(c[2][0])
            self._walk(c[1])
        elif t in ('RawBlock', 'RawInline'):
            if c[0] == 'html': h = _Html(c[1]); self.links += h.links; self.ids |= h.ids; self.asks += h.asks; self.mute += h.mute
            else: self.wrong.append(f'a formula outside dollar signs vanishes from the page: {c[1].strip()[:80]}')
        elif t == 'Str':
            if '$' in c: self.wrong.append(f'a dollar sign that opens or closes no formula: {c[:80]}')
        elif t == 'OrderedList' and c[0][2]['t'] == 'TwoParens':
            self.wrong.append(f'a paragraph that begins with ({c[0][0]}) becomes a list: say equation ({c[0][0]})')
            self._walk(c[1])
        elif t == 'Cite': self.refs += [k['citationId'] for k in c[0]]
        elif t not in ('Code', 'CodeBlock'): self._walk(c if not isinstance(c, dict) else list(c.values()))
        attr = {'Header': 1, 'Div': 0, 'Span': 0, 'CodeBlock': 0, 'Code': 0, 'Link': 0, 'Image': 0, 'Figure': 0, 'Table': 0}.get(t)
        if attr is not None and c[attr][0]: self.ids.add(c[attr][0])


def _said(err):
    "pandoc's complaints, one a line"
    return [' '.join(b.split())[:300] for b in re.split(r'(?m)^(?=\[WARNING\]|pandoc:)', err) if b.strip()]


def unbalanced(tex):
    "What pandoc does not see in a formula: \\left without \\right, braces, environments"
    out = []
    if len(re.findall(r'\\left(?![a-zA-Z])', tex)) != len(re.findall(r'\\right(?![a-zA-Z])', tex)): out.append(f'\\left and \\right do not pair: {tex[:80]}')
    bare = re.sub(r'\\[\\{}]', '', tex)
    if bare.count('{') != bare.count('}'): out.append(f'braces do not pair: {tex[:80]}')
    if sorted(re.findall(r'\\begin\{(.*?)\}', tex)) != sorted(re.findall(r'\\end\{(.*?)\}', tex)): out.append(f'\\begin and \\end do not pair: {tex[:80]}')
    return out


def lost(source, staged):
    "The text cells of a notebook that the staged page does not hold, and lines of the title cell that nbdev drops"
    def plain(s): return ' '.join(re.sub(r'\[(`[^`]+`)\]\(https?://[^)]*\)', r'\1', s).split())
    page = plain('\n\n'.join(c['source'] for c in staged['cells'] if c['cell_type'] != 'code'))
    out, title = [], False
    for i, c in enumerate(source['cells']):
        if c['cell_type'] != 'markdown': continue
        if not title and re.search(r'^#\s+\S', c['source'], re.M):
            title, seen = True, set()
            for l in c['source'].splitlines():
                m = re.match(r'(#|>|-(?=\s+\S.*:.*\S))\s+\S', l)
                kind = m and m[1]
                if l.strip() and (not m or kind in seen & {'#', '>'}): out.append(f'cell {i}: nbdev drops this line of the title cell: {l[:80]}')
                seen.add(kind)
        elif plain(c['source']) not in page: out.append(f"cell {i}: lost when the page is staged: {c['source'].strip()[:80]}")
    if not title: out.append('no title (`# ...`)')
    return out


def link(target, page, pages, folder, root, cfg):
    "Why `target` does not resolve on `page`, or None"
    site, repo = cfg['doc_host'] + cfg['doc_baseurl'] + '/', cfg['git_url'] + f"/blob/{cfg['branch']}/"
    if target.startswith(site): return 'leaves the site for its published copy: say it relative to this page'
    if target.startswith(repo): return None if (root/urlparse(target[len(repo):]).path).is_file() else 'no such file in the repository'
    u = urlparse(target)
    if u.scheme in ('data', 'mailto'): return None
    if u.scheme in ('http', 'https'): return None if re.fullmatch(r'[\w-]+(\.[\w-]+)+(:\d+)?', u.netloc) and ' ' not in target else 'not an address'
    if u.scheme or target.startswith('/'): return 'neither an address nor relative'
    path = unquote(u.path)
    if path: path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
    name = page if not path else {p: n for n, (p, _) in pages.items()}.get(path, path)
    if name in pages: return None if not u.fragment or unquote(u.fragment) in pages[name][1].ids else f'no anchor #{u.fragment} there'
    return None if path and (folder/path).resolve().is_relative_to(folder.resolve()) and (folder/path).is_file() else 'no such page or file'


MOST_BYTES = 1.5*2**20


def check(root):
    "What is wrong with the pages of the site, a line each"
    root, cfg, out = Path(root), N.settings(root), []
    if not N.notebooks(root): return ['no notebooks']
    with N.copy(root) as tmp:
        try: folder = stage()
        except Exception as e:
            why = [m for m in re.findall(r'(?m)^[\w.]+(?:Error|Exception): .*', f'{type(e.__cause__).__name__}: {e.__cause__}') if 'Error in notebook' not in m]
            return [f'staging failed: {e}\n' + '\n'.join(dict.fromkeys(why))]
        def read(): return {p.relative_to(folder).as_posix(): N.read(p) for p in sorted(folder.rglob('*.ipynb'))}
        plain = read()
        index = finish.before(folder, root)
        staged = read()
        texts = {n: markdown(nb, saver(folder, n)) for n, nb in staged.items()} | {p.name: p.read_text(encoding='utf-8').split('\n---\n', 1)[1] for p in folder.glob('*.qmd')}
        with ThreadPoolExecutor(4) as pool: made = dict(zip(texts, pool.map(Page, texts.values())))
        pages = {n: (search.name_of(n), p) for n, p in made.items()}
        for name, (_, page) in pages.items():
            out += [f'{name}: asks another host: {t[:100]}' for t in page.asks if re.match(r'(https?:)?//', t)]
            out += [f'{name}: a picture without a description: {t[:60]}' for t in page.mute]
            size = len(re.sub(r';base64,[A-Za-z0-9+/=]+', '', texts[name]))
            if size > MOST_BYTES: out.append(f'{name}: {size/2**20:.1f} MB of text, {MOST_BYTES/2**20:.1f} is the limit')
            if name.endswith('.ipynb') and any(isinstance(c['source'], str) for c in json.loads((folder/name).read_text(encoding='utf-8'))['cells']): out.append(f'{name}: a cell is one string: Quarto would drop its line ends')
        outs = [o for o, _ in pages.values()]
        out += [f'{n}: another notebook makes {o} too' for n, (o, _) in pages.items() if outs.count(o) > 1]
        where = {}
        for n, nb in staged.items():
            for _, h in search.headings(nb):
                if h.name: where.setdefault(h.name, []).append(search.name_of(n))
        out += search.faults(index, where)
        ids = {html: p.ids for html, p in pages.values()}
        for r in index:
            html, _, anchor = r['href'].partition('#')
            if anchor and anchor not in ids.get(html, ()): out.append(f"search: no anchor {r['href']}")
        out += [f'api.qmd: link {t}: {w}' for t in made['api.qmd'].links for w in [link(t, 'api.qmd', pages, folder, root, cfg)] if w]
        for p in N.notebooks(root):
            source, name = N.read(p), N.name(root, p)
            if name not in pages: out.append(f'{name}: not staged'); continue
            page = pages[name][1]
            out += [f'{name}: {w}' for w in lost(source, plain[name]) + page.wrong]
            out += [f'{name}: link {t[:100]}: {w}' for t in page.links for w in [link(t, name, pages, folder, root, cfg)] if w]
            out += [f'{name}: reference @{r} resolves to nothing' for r in page.refs if r not in page.ids]
            out += [f"{name}: {c['source'].splitlines()[-1]} shows nothing" for c in staged[name]['cells'] if re.search(r'^show_doc\(', c['source'], re.M)
                    and not any({'text/markdown', 'text/html'} & o.get('data', {}).keys() for o in c['outputs'])]
            tags = [t for m in page.math for t in re.findall(r'\\tag\{(.*?)\}', m)]
            out += [f'{name}: two equations ({t})' for t in sorted({t for t in tags if tags.count(t) > 1})]
            out += [f'{name} cell {i}: cites ({n}), which no equation is' for i, _, src, _ in N.code(source)
                    for n in re.findall(r'#\s*\((\d+\w?)\)', src) if n not in tags]
        if (root/'README.md').exists():
            page = Page((root/'README.md').read_text(encoding='utf-8'))
            out += [f'README.md: {w}' for w in page.wrong]
            out += [f'README.md: link {t[:100]}: {w}' for t in page.links for w in [link(t, 'README.md', {'README.md': ('README.md', page)}, root, root, cfg)] if w]
        keep = os.environ.get('VIDGAN_SITE_KEEP')
        if keep and root.resolve() == Path(__file__).resolve().parent.parent: write_plain(folder, pages, staged, Path(keep))
        if shutil.which('quarto'):
            (tmp/'tools').symlink_to(Path(__file__).resolve().parent)
            r = subprocess.run(['quarto', 'render', '--no-cache'], cwd=folder, capture_output=True, encoding='utf-8')
            said = [l for l in (r.stdout + r.stderr).splitlines() if re.search(r'\b(WARN|WARNING|ERROR)\b', l)]
            out += [f'quarto: {l}' for l in said] or ([f'quarto: exit status {r.returncode}'] if r.returncode else [])
    return out


PLAIN = '''<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<link rel="icon" href="{up}figures/favicon.svg"><link rel="stylesheet" href="{up}styles.css">
<style>body {{ max-width: 52em; margin: 0 auto; padding: 1em; font: 16px/1.5 sans-serif }} pre {{ font-size: 85%; background: #f6f6f6 }} .sr {{ position: absolute; left: -999px }} a {{ color: #1a5fa8 }}</style>
{maths}</head><body>
<nav aria-label="Pages"><a href="{up}index.html">First page</a> <a href="{up}api.html">Index of the library</a></nav>
<main id="quarto-document-content"><h1 class="title">{title}</h1><p class="description">{description}</p>
{body}
</main>{after}</body></html>
'''


def write_plain(folder, pages, staged, dest):
    "The staged pages as plain HTML, for tools/browser.py where there is no Quarto: the same text, pictures, scripts, styles and search index, without its sidebar"
    import html as H
    import vendor
    for f in ('styles.css', *(p.relative_to(folder).as_posix() for d in ('figures', 'images', finish.CARDS, finish.MEDIA) for p in (folder/d).rglob('*') if p.is_file())):
        if (folder/f).is_file(): (dest/f).parent.mkdir(parents=True, exist_ok=True); shutil.copy2(folder/f, dest/f)
    shutil.copy2(folder/finish.SEARCH, dest/'search.json')
    maths = '<script>MathJax = {tex: {tags: "none"}};</script><script async src="{}mathjax/tex-chtml-full.js"></script>' if vendor.mathjax(dest/'mathjax') else ''
    after = (folder/'site.html').read_text(encoding='utf-8') if (folder/'site.html').is_file() else ''
    def one(item):
        name, (out, page) = item
        said = search.front(staged[name])[0] if name in staged else {}
        body, _ = pandoc(['-f', 'json', '-t', 'html5', '--mathjax', '--section-divs'], json.dumps(page.tree)) if page.tree else ('', '')
        body = re.sub(r'(<img(?![^>]*\salt=)[^>]*?)\sdata-fig-alt="', r'\1 alt="', re.sub(r'((?:href|src)="[^":]*)\.ipynb([#"])', lambda m: _html_link(m[1]) + '.html' + m[2], body))
        text = PLAIN.format(title=H.escape(said.get('title', name)), description=H.escape(said.get('description', '')), body=body, up=search.up(out), maths=maths.replace('{}', search.up(out)), after=after)
        (dest/out).parent.mkdir(parents=True, exist_ok=True)
        (dest/out).write_text(text, encoding='utf-8')
    with ThreadPoolExecutor(4) as pool: list(pool.map(one, pages.items()))


def _html_link(start):
    "The start of a link to a notebook, as one to its page"
    head, _, last = start.rpartition('/') if '/' in start else (start.partition('"')[0] + '"', '', start.partition('"')[2])
    last = re.sub(r'^\d+[a-zA-Z0-9]*_', '', last.lower())
    return f'{head}/{last}' if '/' in start else head + last


def build(root):
    "The site in _docs, as nbdev_docs makes it, but for README.md, which tools/readme.py makes"
    if not shutil.which('quarto'):
        sys.exit('The site needs Quarto, which is not on the PATH. Get it from https://quarto.org/docs/get-started '
                 '(the .tar.gz there needs no administrator: unpack it and put its bin/ on the PATH), then run this again.')
    os.chdir(root)
    os.environ.pop('IN_TEST', None)
    folder, docs = stage(), Path(root)/N.settings(root)['doc_path']
    if subprocess.run(['quarto', 'render', '--no-cache'], cwd=folder).returncode: sys.exit('Quarto stopped: see above.')
    shutil.rmtree(docs, ignore_errors=True)
    shutil.move(folder/docs.name, docs)
    print(f'The site is in {docs.name}/. To read it, with search: python -m http.server -d {docs.name}, and open http://localhost:8000')


def render(root, name, dest):
    "One page as a standalone HTML file, to look at: `python tools/pages.py render 10_wgan page.html`, `... render checks/10_wgan page.html`"
    dest = Path(dest).resolve()
    with N.copy(root):
        for p in N.notebooks('.'):
            if not N.name('.', p).startswith(name): p.unlink()
        css = Path('nbs/styles.css').read_text(encoding='utf-8')
        text = markdown(N.read(next(stage().rglob('*.ipynb'))))
    head = dest.with_suffix('.head')
    head.write_text(f'<style>body {{ max-width: 50em !important; font-family: sans-serif; font-size: 16px }} nav {{ font-size: 80% }} {css}</style>', encoding='utf-8')
    html, err = pandoc(['-f', 'markdown', '-t', 'html5', '--mathml', '--standalone', '--toc', '-H', str(head)],
                       re.sub(r'\\tag\{(.*?)\}', r'\\qquad(\1)', text))
    head.unlink()
    dest.write_text(html, encoding='utf-8')
    print(err, end='')


if __name__ == '__main__':
    top = Path(__file__).resolve().parent.parent
    if sys.argv[1:] == ['build']: build(top)
    elif sys.argv[1:2] == ['render'] and len(sys.argv) == 4: render(top, *sys.argv[2:])
    else: sys.exit('python tools/pages.py build | render NOTEBOOK FILE.html')
