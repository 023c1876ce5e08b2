"""A small site without faults, and the same with faults planted: what tools/browser.py says of them proves that its checks can fail.

The sound site has the parts of a page of Quarto's that a reader uses, by the same names: sidebar, search box, theme, copy button, next page, menu on a phone.
Of the faulty one, each page has one fault that a look at a page must show, and `wgan.html` and its neighbours those that a reader meets when he does something.
"""
import json, tempfile
from pathlib import Path

STYLE = '''<style>body { margin: 0; font: 16px sans-serif; color: #222; background: #fff } main { padding: 1em; overflow-wrap: anywhere }
body.quarto-dark, .quarto-dark a { background: #222; color: #eee } nav { padding: 1em } pre, .math { overflow-x: auto; white-space: pre } figure { margin: 0 } figure p { overflow-x: auto }
@media (max-width: 600px) { #quarto-sidebar { display: none } #quarto-sidebar.open { display: block } } @media (min-width: 601px) { .quarto-secondary-nav { display: none } }</style>'''
PARTS = '''<nav aria-label="top" class="quarto-secondary-nav"><button aria-label="Menu" onclick="document.getElementById('quarto-sidebar').classList.add('open')">=</button></nav>
<nav aria-label="pages" id="quarto-sidebar"><button class="quarto-color-scheme-toggle" onclick="quartoToggleColorScheme()">Dark</button>
<span id="quarto-search"><input class="aa-Input" aria-label="Search"></span><span class="aa-Panel"></span>
<a class="sidebar-link" href="wgan.html">WGAN</a> <a class="sidebar-link" href="vdb.html">VDB</a> <a href="https://colab.research.google.com/github/u/r/blob/main/nbs/10_wgan.ipynb">Colab</a></nav>'''
SCRIPT = '''<script>
var pages = { WGANGP: 'wgan.html', grid: 'vdb.html' };
if (localStorage.dark) document.body.classList.add('quarto-dark');
function quartoToggleColorScheme() { localStorage.dark = document.body.classList.toggle('quarto-dark') ? '1' : ''; }
document.querySelectorAll('.aa-Input').forEach(function (e) { e.addEventListener('input', function () {
  document.querySelector('.aa-Panel').innerHTML = pages[e.value] ? '<span class="aa-Item"><a>' + e.value + '</a></span>' : '';
  document.querySelectorAll('.aa-Item a').forEach(function (a) { a.href = pages[e.value]; }); }); });
document.querySelectorAll('.plot').forEach(function (e) { e.onclick = function () { e.style.width = e.clientWidth > 300 ? '300px' : '650px'; }; });
document.querySelectorAll('.code-copy-button').forEach(function (b) { b.onclick = function () { navigator.clipboard.writeText(b.parentNode.querySelector('pre').innerText); }; });
document.querySelectorAll('.vidgan-player').forEach(function (p) {
  var i = p.querySelector('input'), b = p.querySelector('button'), img = p.querySelector('img');
  function show() { img.style.left = -100 * i.value + '%'; }
  i.oninput = show; b.onclick = function () { b.textContent = b.textContent === 'Play' ? 'Pause' : 'Play'; }; show(); });
</script>'''
DOT = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'
CHAPTER = f'''<h2 id="run">Run</h2><p><a href="vdb.html#bound">the bound</a></p><div class="sourceCode"><pre tabindex="0"><code>x = 1</code></pre><button class="code-copy-button" aria-label="Copy">c</button></div>
<div class="vidgan-player figure"><div class="vp-stage"><img src="{DOT}" alt="A film" style="position: relative"></div><button>Play</button><input type="range" aria-label="Frame" min="0" max="4" value="4"></div>
<figure><p><img class="plot" src="{DOT}" alt="A plot" style="width: 300px; height: 80px"></p></figure><details><summary>Solution</summary><p>42</p></details><span class="math display" tabindex="0"><mjx-container>x</mjx-container></span>
<div class="nav-page-next"><a href="vdb.html">VDB</a></div>'''
SOUND = {'index.html': '<h2 id="a">A</h2><p>Text</p>', 'wgan.html': CHAPTER, 'vdb.html': '<h2 id="bound">Bound</h2>' + CHAPTER, '404.html': ''}
RECORDS = [dict(href='wgan.html#WGANGP', title='WGAN', section='WGANGP', text='Trains a critic'), dict(href='vdb.html#grid', title='VDB', section='grid', text='Draws images')]
ASKED = {'WGANGP': ['wgan.html'], 'grid': ['vdb.html']}

# One fault a page: what stands on it, and the kind and the words of what must be said of it
LOOKS = {
    'request.html': ('<img alt="A logo" src="https://example.org/logo.png">', 'external', 'https://example.org/logo.png'),
    'font.html': ('<style>@font-face { font-family: F; src: url(https://example.org/f.woff2) } .f { font-family: F }</style><p class="f">Text</p>', 'external', 'f.woff2'),
    'block.html': ('<div style="width: 1500px">A block that is wider than the screen</div>', 'overflow', '1280: scrolls sideways'),
    'phone.html': ('<div style="width: 500px">A block that is wider than a phone</div>', 'overflow', '390: scrolls sideways'),
    'formula.html': ('<div style="overflow: hidden"><span class="math display" style="display: block; width: 2000px"><mjx-container>x</mjx-container></span></div>', 'overflow', 'a formula leaves the text'),
    'cut.html': ('<span class="math display" tabindex="0" style="display: block; overflow-x: auto"><mjx-container style="display: block; width: 2000px">x</mjx-container></span>', 'overflow', 'a formula is wider than the text'),
    'undrawn.html': ('<span class="math inline">\\(x\\)</span>', 'console', 'a formula that is not drawn'),
    'alt.html': (f'<img src="{DOT}" width="40">', 'axe', 'image-alt'),
    'faint.html': ('<p style="color: #aaa">Text too faint to read</p>', 'axe', 'color-contrast'),
    'black.html': ('<p style="color: #444">Light</p><style>.quarto-dark p { background: #222 !important }</style>', 'axe', 'dark: color-contrast'),
    'throws.html': ('<script>throw new Error("planted")</script>', 'console', 'planted'),
    'complains.html': ('<script>console.error("complaint")</script>', 'console', 'complaint'),
    'gone.html': ('<img alt="A picture" src="media/gone.png">', 'dead', 'media/gone.png 404'),
}
# What a reader does, and a change to the sound site after which it fails
ACTS = {
    'player by keys and mouse': ('i.oninput = show;', ''),
    'a folded source': ('<p>42</p>', ''),
    'a tap on a picture, on a phone': ("'300px' : '650px'", "'300px' : '310px'"),
    'keyboard reaches what scrolls': ('<pre tabindex="0"><code>x = 1', '<pre><code>x = ' + '1'*400),
    'sidebar': ('<a class="sidebar-link" href="vdb.html">', '<a class="sidebar-link" onclick="return false" href="vdb.html">'),
    'search by hand': ("grid: 'vdb.html'", "grid: 'wgan.html'"),
    'dark, and its memory': ('if (localStorage.dark)', 'if (false)'),
    'copy': ("writeText(b.parentNode.querySelector('pre').innerText)", "writeText('>>> x = 1')"),
    'next page': ('<div class="nav-page-next">', '<div>'),
    'menu on a phone': ("classList.add('open')", "classList.add('shut')"),
    'Open in Colab': ('10_wgan.ipynb', '10_other.ipynb'),
    'a wrong address': ('This page is not here', 'Error'),
}


def page(title, body):
    "One page"
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
            f'<link rel="icon" href="data:,">{STYLE}</head><body>{PARTS}<main><h1>{title}</h1>{body}</main>{SCRIPT}</body></html>')


def write(folder, bodies, records, changes=()):
    "A site in a folder, with changes to the text of its pages"
    folder.mkdir(parents=True)
    for name, body in bodies.items():
        text = page('This page is not here' if name == '404.html' else name.partition('.')[0], body)
        for old, new in changes: text = text.replace(old, new)
        (folder/name).write_text(text, encoding='utf-8')
    (folder/'search.json').write_text(json.dumps(records), encoding='utf-8')
    return folder


def plain(tmp):
    "What the checks that need no browser do not see, or see on a site without faults"
    import browser
    sound, out = write(tmp/'plain', SOUND, RECORDS), []
    if browser.anchors(sound) or browser.weight(sound) or browser.searches(RECORDS, ASKED): out.append('a sound site has dead links, a heavy page or a lost query')
    faults = {'no.html: no such file': '<a href="no.html">x</a>', 'vdb.html#no: no such place': '<a href="vdb.html#no">x</a>', '#here: no such place': '<a href="#here">x</a>'}
    for k, (said, body) in enumerate(faults.items()):
        if not any(said in d for d in browser.anchors(write(tmp/f'dead{k}', SOUND | {'index.html': body}, RECORDS))): out.append(f'a dead link: {said}')
    if browser.weight(write(tmp/'heavy', SOUND | {'index.html': 'x'*2**21}, RECORDS)) != ['index.html']: out.append('a page of 2 MB')
    shadow = [dict(href='vdb.html', title='WGANGP', section='WGANGP', text='import WGANGP'), *RECORDS]
    if browser.searches(shadow, ASKED) != {'WGANGP': 'vdb.html'}: out.append('a query that another page answers first')
    if browser.searches([], ASKED) != dict.fromkeys(ASKED): out.append('a query that nothing answers')
    return out


def unseen(have):
    "Planted faults that tools/browser.py does not see, and what it says of a site without any; without a browser (None) only those that need none"
    import browser
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        out = plain(tmp)
        if not have: return out
        look = lambda site, names, asked=ASKED, patience=2000: browser.browse(site, names, asked, have, True, patience=patience)
        out += [f'nothing is wrong, yet: {l}' for l in look(write(tmp/'sound', SOUND, RECORDS), ['index.html', 'wgan.html'], patience=None) if l[0] not in ('fine', 'found', 'done')]
        said = look(write(tmp/'looks', SOUND | {n: body for n, (body, *_) in LOOKS.items()}, RECORDS), list(LOOKS), {'WGANGP': ['vdb.html']})
        out += [f'{n}: {kind} {words}' for n, (_, kind, words) in LOOKS.items() if not any(k == kind and p == n and words in s for k, p, s in said)]
        if not any(l[:2] == ('lost', 'WGANGP') for l in said): out.append('a query that the search of the site answers with another page')
        done = look(write(tmp/'acts', SOUND, RECORDS, ACTS.values()), ['wgan.html'])
        out += [f'{what}: it cannot be done, and nobody says so' for what in ACTS if not any(l[:2] == ('act', what) for l in done)]
        return out
