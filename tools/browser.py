"""The site in a real browser, every address but this machine's blocked. What `make test-site` runs:

    python tools/browser.py [FOLDER] [--shots FOLDER] [--pages WORD ...] [--patience SECONDS]

FOLDER is a built site; without it, _docs as `make docs` made it, else what the test `site` left in VIDGAN_SITE_KEEP, else the staged pages as plain HTML
(no sidebar and no dark theme there: those need Quarto). It needs node, chromium or Chrome, and three packages of npm, which tools/vendor.py fetches into a
cache; what is missing it installs where it may (CI, with apt-get), or says what it skipped. First it looks at a small site with planted faults
(tools/faulty.py) and says which of them it did not see. Its last line counts what is wrong; it fails if that is anything.
"""
import argparse, functools, http.server, json, os, re, shutil, subprocess, sys, tempfile, threading
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import nb as N
import search
import vendor

TOP = Path(__file__).resolve().parent.parent
BROWSERS = 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'
COUNTED, HEAVY = ('external', 'overflow', 'axe', 'console'), 1.5*2**20


class Quiet(http.server.SimpleHTTPRequestHandler):
    "A server that says nothing; the site stands in the folder of its public address too, by which 404.html names its parts"
    def translate_path(self, path): return super().translate_path(path.removeprefix(N.settings(TOP)['doc_baseurl']) or '/')
    def log_message(self, *a): pass
    def handle(self):
        try: super().handle()
        except (ConnectionError, BrokenPipeError): pass


def programs():
    "node and a browser, installed if this is CI and may; None for one that is missing"
    find = lambda: (shutil.which('node'), next(filter(None, map(shutil.which, BROWSERS)), None))
    node, chrome = find()
    if (node and chrome) or not os.environ.get('CI') or not shutil.which('apt-get') or os.geteuid(): return node, chrome
    want = [p for p, there in (('nodejs', node), ('npm', shutil.which('npm')), ('chromium', chrome)) if not there]
    for words in (['update', '-qq'], ['install', '-y', '-qq', '--no-install-recommends', *want]):
        try: subprocess.run(['apt-get', *words], capture_output=True, timeout=400, env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'})
        except subprocess.TimeoutExpired: break
    return find()


def documented():
    "{name: pages that document it}, from the notebooks: what search must find"
    found = {}
    import finish
    for p in N.notebooks(TOP):
        nb = N.read(p)
        if N.default_exp(nb):
            for name in finish.defined(nb):
                if not any(part.startswith('_') for part in name.split('.')): found.setdefault(name, []).append(search.name_of(N.name(TOP, p)))
    return found


def anchors(site):
    "Links of the built pages that lead to no file, or to no place on it"
    ids, links = {}, []
    for p in sorted(site.rglob('*.html')):
        text, name = p.read_text(encoding='utf-8'), p.relative_to(site).as_posix()
        ids[name] = set(re.findall(r'\sid="([^"]+)"', text))
        if name == '404.html': continue
        for t in set(re.findall(r'<a\b[^>]*?\shref="([^"]+)"', text)):
            if not re.match(r'\w+:|//', t): links.append((name, t))
    out = []
    for name, t in links:
        path, _, anchor = t.partition('#')
        target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
        if path.endswith('/') or target == '.': target = os.path.normpath(os.path.join(target, 'index.html'))
        if not (site/target).is_file(): out.append(f'{name}: {t}: no such file')
        elif anchor and target in ids and anchor not in ids[target]: out.append(f'{name}: {t}: no such place')
    return out


def weights(site):
    "The bytes of each page with its own pictures, the heaviest first"
    out = {}
    for p in site.rglob('*.html'):
        text = p.read_text(encoding='utf-8')
        own = {(p.parent/s).resolve() for s in re.findall(r'<img[^>]*?\ssrc="([^":]+)"', text)}
        out[p.relative_to(site).as_posix()] = p.stat().st_size + sum(f.stat().st_size for f in own if f.is_file())
    return sorted(out.items(), key=lambda kv: -kv[1])


def pages_with(site, names, pattern):
    "The first page whose HTML has this"
    return next((n for n in names if re.search(pattern, (site/n).read_text(encoding='utf-8'))), None)


def source(folder):
    "The site to be tested, and whether Quarto built it"
    for f in (folder, TOP/'_docs', os.environ.get('VIDGAN_SITE_KEEP')):
        if f and (Path(f)/'index.html').is_file(): return Path(f), (Path(f)/'site_libs').is_dir()
    if folder: sys.exit(f'{folder}: no site there')
    import pages
    keep = Path(tempfile.mkdtemp())
    os.environ['VIDGAN_SITE_KEEP'] = str(keep)
    os.environ['PATH'] = os.pathsep.join(d for d in os.environ['PATH'].split(os.pathsep) if not (Path(d)/'quarto').exists())
    for w in pages.check(TOP): print(w)
    return keep, False


def weight(site):
    "Pages above 1.5 MB"
    return [n for n, w in weights(site) if w > HEAVY]


def searches(index, asked):
    "Queries for which another page than those `asked` names comes first, and which comes"
    first = {q: ([h.partition('#')[0] for h in search.rank(q, index)] or [None])[0] for q in asked}
    return {q: first[q] for q, pages in asked.items() if first[q] not in pages}


def tools():
    "{what the browser needs: where it is, or None}"
    node, chrome = programs()
    return dict(node=node, chromium=chrome) | {k: vendor.package(k) for k in ('playwright-core', 'axe-core', 'fuse.js') if node}


def browse(site, names, asked, have, quarto, shots=None, patience=None):
    "[(kind, page, what is wrong)] that a browser says of the pages `names` of a site; an act that took place without fault is 'fine'"
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    chapters = [n for n, _ in weights(site) if '/' not in n]
    said = dict(url=f'http://localhost:{server.server_port}/', pages=names, chromium=have['chromium'], playwright=str(have['playwright-core']), axe=str(have['axe-core']), fuse=str(have['fuse.js']),
                index=str(site/'search.json'), queries=asked, quarto=quarto, shots=shots, patience=patience, player=pages_with(site, chapters, r'class="vidgan-player\b'), picture=pages_with(site, chapters, r'<figure\b[^>]*>\s*(?:<p>)?<img |<p><img '),
                folded=pages_with(site, chapters, '<details(?! open)'), equations=pages_with(site, chapters, 'math display'))
    r = subprocess.run([have['node'], str(Path(__file__).with_name('browser.js'))], input=json.dumps(said), capture_output=True, encoding='utf-8')
    server.shutdown()
    lines = [(l['kind'], l['page'], l['said']) for l in map(json.loads, (l for l in r.stdout.splitlines() if l.startswith('{')))]
    if not any(kind == 'done' for kind, *_ in lines): lines.append(('act', 'browser.js', r.stderr[-2000:] or 'ended early'))
    return lines


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('folder', nargs='?')
    p.add_argument('--shots', help='put a picture of every page, 1280 and 390 wide, there')
    p.add_argument('--pages', nargs='*', help='only pages of these names (wgan.html), or whose names hold one of these words')
    p.add_argument('--patience', type=float, default=30, help='seconds that a browser has for what a reader does: more on a crowded machine')
    a = p.parse_args()
    have = tools()
    missing = [k for k in ('node', 'chromium', 'playwright-core', 'axe-core', 'fuse.js') if not have.get(k)]
    import faulty
    unseen = faulty.unseen(None if missing else have)
    for u in unseen: print('unseen  ', u)
    site, quarto = source(a.folder)
    names = [n for n, _ in weights(site) if not a.pages or any(w == n or (not w.endswith('.html') and w in n) for w in a.pages)]
    dead = anchors(site)
    for d in dead: print('dead    ', d)
    index, where = json.loads((site/'search.json').read_text(encoding='utf-8')), documented()
    asked = {q: [page] if page else where[q] for q, page in search.QUERIES.items() if page or q in where}
    lost = searches(index, asked)
    for q, first in lost.items(): print('search  ', f'{q}: first {first}, not {asked[q]}')
    count, acts = dict.fromkeys(COUNTED, 0), 0
    if missing: print(f'SKIPPED, for want of {", ".join(missing)}: the browser. Requests, widths, contrast, console and what a reader does were NOT tested.')
    else:
        lines = browse(site, names, asked, have, quarto, a.shots, 1000*a.patience)
        for kind, page, said in dict.fromkeys(lines):
            if kind not in ('done', 'found'): print(f'{kind:9}{page}: {said}')
        for kind in count: count[kind] = sum(k == kind for k, *_ in lines)
        acts = sum(k == 'act' for k, *_ in lines)
        dead += [said for k, _, said in lines if k == 'dead']
        lost |= {q: said for k, q, said in lines if k == 'lost'}
    print(f'{len(names)} pages, ' + ('built by Quarto' if quarto else 'staged, without Quarto: sidebar, search box, dark theme, copy, next page and menu were NOT tested'))
    print('heaviest: ' + ', '.join(f'{n} {w/2**20:.2f} MB' for n, w in weights(site)[:10]))
    heavy = weight(site)
    if heavy: print(f'above 1.5 MB: {", ".join(heavy)}')
    if acts: print(f'{acts} things that a reader does fail')
    print(f'planted faults: {len(unseen)} not seen' + ' (without a browser few were planted)'*bool(missing))
    print(f'queries {len(asked) - len(lost)}/{len(asked)}, ' + ', '.join(f'{k} {count[k] if not missing else "?"}' for k in COUNTED) + f', anchors {len(dead)} dead')
    sys.exit(bool(dead or acts or heavy or lost or unseen or any(count.values())))


if __name__ == '__main__': main()
