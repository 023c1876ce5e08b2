"""Every check must be able to fail: each is run on a small sound project, which it passes, and on the same project broken in one place, which it reports."""
import base64, json, os, re, shutil, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock
sys.path.insert(0, str(Path(__file__).parent))
import nb as N

TOP = Path(__file__).resolve().parent.parent
PNG = base64.b64encode(bytes.fromhex('89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02'
                                     '0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082')).decode()
DOUBLE = '#| exports\ndef double(\n    x: int # a number\n) -> int:  # twice that\n    "Twice `x`"\n    return 2*x # (1)'


def cell(i, src, out=None, kind='code'):
    "A notebook's cell as nbdev_clean leaves it"
    c = dict(cell_type=kind, id=f'c{i}', metadata={}, source=src.splitlines(True))
    if kind == 'code': c |= dict(execution_count=None, outputs=[out] if out else [])
    return c


def value(**data):
    "A stored output"
    return dict(output_type='execute_result', execution_count=None, metadata={}, data={k.replace('_', '/'): v for k, v in data.items()})


def notebook(title, module, *cells):
    "A notebook with a title cell; text for a Markdown cell, (code, output) for a code cell"
    body = [f'# {title}\n> A sentence.'] + ([(f'#| default_exp {module}', None)] if module else []) + list(cells)
    return dict(nbformat=4, nbformat_minor=5, metadata=dict(kernelspec=dict(display_name='python3', language='python', name='python3')),
                cells=[cell(f'{i}{module or "x"}', *c) if isinstance(c, tuple) else cell(f'{i}{module or "x"}', c, kind='markdown') for i, c in enumerate(body)])


def write(root, name, nb):
    "A notebook as a file, formatted as nbdev formats it"
    (root/'nbs'/name).parent.mkdir(exist_ok=True)
    (root/'nbs'/f'{name}.ipynb').write_text(json.dumps(nb, sort_keys=True, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')


def turn(root, name):
    "Put the first cell of a notebook last"
    nb = N.read(root/'nbs'/f'{name}.ipynb')
    write(root, name, {**nb, 'cells': nb['cells'][1:] + nb['cells'][:1]})


def sound(root):
    "A small project in which every check passes"
    import readme
    for d in ('nbs', 'lib', 'tools', 'runs/a'): (root/d).mkdir(parents=True)
    for f in ('pyproject.toml', 'requirements.lock', 'licences.txt'): shutil.copy2(TOP/f, root)
    ini = (TOP/'settings.ini').read_text(encoding='utf-8')
    (root/'settings.ini').write_text(re.sub(r'(?m)^(lib_name|lib_path|repo) = .*', r'\1 = lib', ini), encoding='utf-8')
    pages = 'index', '00_low', '10_high', 'checks/10_high', '10_more', '11_main'
    (root/'_quarto.yml').write_text('website:\n  sidebar:\n    contents:\n' + ''.join(f'      - href: {p}.ipynb\n' for p in pages), encoding='utf-8')
    (root/'nbs'/'_quarto.yml').symlink_to('../_quarto.yml')
    write(root, 'index', notebook('lib', None, 'See [low](00_low.ipynb#twice).', ('#| fig-alt: "a dot"\n1 + 1', value(image_png=PNG))))
    write(root, '00_low', notebook('Low', 'low', '## Twice\n\n$$\\hat y = 2 x \\tag{1}$$', (DOUBLE, None), ('assert double(2) == 4\ndouble(3)', value(text_plain=['6']))))
    write(root, '10_high', notebook('High', 'high', ('#| export\nfrom lib.low import double', None),
                                    ('#| export\ndef four(\n    x: int # a number\n) -> int:  # four times that\n    "Four times `x`"\n    return double(double(x))', None),
                                    'Uses `double`; back to [low](00_low.ipynb).', ('four(3)', value(text_plain=['12']))))
    write(root, '10_more', notebook('More', 'more', ('#| export\nfrom lib.high import four', None),
                                    ('#| export\ndef eight() -> int:  # a number\n    "Eight"\n    return four(2)', None), ('eight()', value(text_plain=['8']))))
    write(root, '11_main', notebook('Main', '__main__', ('#| export\nimport sys\nfrom lib.high import four', None), ('#| export\nif __name__ == "__main__" and __package__: print(four(2), sys.argv)', None),
                                    ('1 + 1', value(text_plain=['2']))))
    write(root, 'checks/10_high', notebook('High: tests', None, 'Tests of [high](../10_high.ipynb), and of [low](../00_low.ipynb#twice).', ('from lib.high import four', None), ('four(5)', value(text_plain=['20']))))
    import colab
    colab.write(root)
    with N.copy(root) as tmp:
        from nbdev.doclinks import nbdev_export
        nbdev_export.__wrapped__()
        for p in (tmp/'lib').glob('*.py'): shutil.copy2(p, root/'lib')
    readme.write(root)


def swap(name, old, new):
    "A break: replace text in a file of the project"
    def f(root):
        p = root/name
        src = p.read_text(encoding='utf-8')
        assert old in src, f'{old!r} is not in {name}'
        p.write_text(src.replace(old, new, 1), encoding='utf-8')
    return f


def add(name, *cells, at=None):
    "A break: more cells in a notebook"
    def f(root):
        nb = N.read(root/'nbs'/f'{name}.ipynb')
        for c in nb['cells']: c['source'] = c['source'].splitlines(True)
        new = [cell(f'n{i}', *c) if isinstance(c, tuple) else cell(f'n{i}', c, kind='markdown') for i, c in enumerate(cells)]
        at_ = len(nb['cells']) if at is None else at
        nb['cells'][at_:at_] = new
        write(root, name, nb)
    return f


def both(*fs):
    "Several breaks that only together make one"
    return lambda root: [f(root) for f in fs]


LOW, HIGH = 'lib/low.py', 'lib/high.py'
GROWN = '''class Grown:
    "Its constructor and methods follow; those that nobody calls need no docstring"
@patch
def __init__(
    self: Grown,
    x,
    y,   # commented
    z
): pass
@patch(as_prop=True)
def size(self: Grown): return 1
@patch
def _size(self: Grown): return 1
def double'''
SAID = lambda name, text: dict(output_type='stream', name=name, text=text)
FOLDER = '/'.join(['', 'home', 'me', 'x'])
RECORDS = '''class Run:
    state = 'stale'
    def __init__(self, folder): self.name = folder.name
    def __repr__(self): return f'{self.name}: 3 steps in 1 s on it (1 threads), today, torch 2'
def record_names(runs): return ['a', 'b']
def recheck(runs, root, write): return {'a': ['w differs by 1'], 'b': []}
'''


def recorded(root):
    "Give the project a record, and a module that reads it"
    (root/'lib'/'records.py').write_text(RECORDS, encoding='utf-8')
    (root/'runs'/'a'/'record.json').write_text('{}', encoding='utf-8')


def exempt(root):
    "Name a short cell among those that may be long"
    import checks
    checks.LONG['00_low.ipynb:2low'] = 'a reason'


# check -> breaks: (what to do to the project, what the check must then say)
BREAKS = dict(
    site=[(add('00_low', 'A [dead link](01_no.ipynb), a [dead anchor](10_high.ipynb#no).', '![gone](figures/no.svg) and @fig-no',
               '$\\frac{a}$', '$\\left( a$', 'So \\hat x is', '$$a \\tag{1}$$', ('x = 1 # (7)', None), '## Gone -'),
           ['01_no.ipynb: no such page', 'no anchor #no', 'no.svg: no such page or file', '@fig-no', 'Could not convert', '\\left and \\right do not pair', 'vanishes',
            'two equations (1)', 'cites (7)', 'lost when the page is staged: ## Gone']),
          (both(swap('nbs/00_low.ipynb', '> A sentence.', '> A sentence.\\n\\nMore.'), add('00_low', '$$ a = b'), add('10_high', '::: {.callout-tip}\n\nnever closed'),
                add('index', '[b](https://no/)', '(8) is a sum'),
                add('00_low', ('show_doc(double, renderer=type("R", (), dict(__init__=lambda *a, **k: None, _repr_markdown_=lambda self: 1/0)))', None)), swap('README.md', 'nbs/00_low.ipynb', 'nbs/no.ipynb')),
           ['drops this line of the title cell: More.', 'dollar sign', 'unclosed', 'https://no/: not an address', 'README.md: link nbs/no.ipynb', 'shows nothing', 'begins with (8) becomes a list']),
          (add('checks/10_high', 'To [low](00_low.ipynb), to [no](../10_high.ipynb#no), $\\frac{a}$', '## Gone -'),
           [f'checks/10_high.ipynb: {w}' for w in ('link 00_low.ipynb: no such page', 'link ../10_high.ipynb#no: no anchor', '[WARNING] Could not convert', 'cell 5: lost')]),
          (both(swap('nbs/10_more.ipynb', '# More', '# double'), add('10_more', '## double\n\nText.'), add('00_low', '![far](https://example.org/a.png)', '![](figures/no.png)', 'So \\hat x is', 'word '*330000),
                lambda r: shutil.copy2(r/'nbs/checks/10_high.ipynb', r/'nbs/checks/24_high.ipynb'), lambda r: add('index', f"<a href='{N.settings(r)['doc_host']}{N.settings(r)['doc_baseurl']}/low.html'>low</a>")(r)),
           ["search for 'double': low.html comes 2", 'asks another host: https://example.org/a.png', 'a picture without a description: figures/no.png', 'search: TeX in the record of low.html#twice', '1.6 MB of text', 'leaves the site', 'checks/24_high.ipynb: another notebook makes checks/high.html too']),
          (add('10_high', ('#| export\nimport no_such_module', None)), 'staging failed')],
    export=[(swap(LOW, 'return 2*x', 'return 3*x'), 'out of step'), (lambda r: (r/'lib'/'old.py').write_text('x = 1\n', encoding='utf-8'), 'no notebook exports it'),
            (swap('lib/_modidx.py', 'low.html#double', 'low.html#triple'), '_modidx.py'), (swap('lib/__main__.py', 'four(2)', 'four(3)'), 'lib/__main__.py: out of step'),
            (lambda r: (r/'lib'/'__main__.py').unlink(), 'lib/__main__.py: out of step')],
    clean=[(swap(f'nbs/{n}.ipynb', '"execution_count": null', '"execution_count": 3'), f'nbs/{n}.ipynb: nbdev_clean changes it') for n in ('00_low', 'checks/10_high')],
    readme=[(swap('README.md', 'A sentence.', 'Another.'), 'README.md'), (lambda r: (r/'nbs/images/readme-1.png').unlink(), 'readme-1.png'), (lambda r: (r/'nbs/images/readme-9.png').touch(), 'readme-9.png'),
            (lambda r: (r/'CITATION.cff').write_text('version: "0.0.0"\n', encoding='utf-8'), 'CITATION.cff: its version')],
    cells=[(add('00_low', ('#| eval: false\n1/0', None)), 'hides it'), (add('00_low', ('#| exprot\nx = 1', None)), 'not a directive'), (add('00_low', ('x = 1\n#| export', None)), 'below code'),
           (add('00_low', ('%time 1', None)), 'magic'), (add('00_low', ('try: 1\nexcept: 2', None)), 'bare except'), (add('00_low', ('1 +', None)), 'invalid syntax'), (add('00_low', ('import os\nx = 1', None)), 'imports and other code'),
           (add('00_low', ('plot()', value(image_png=PNG))), 'fig-alt'), (lambda r: (r/'nbs'/'.notest').touch(), '.notest'), (lambda r: (r/'nbs'/'checks'/'.notest').touch(), 'nbs/checks/10_high.ipynb cell 0: a file .notest'),
           (add('checks/10_high', ('#| eval: false\n1/0', None)), 'nbs/checks/10_high.ipynb cell 4: `eval: false`'), (lambda r: turn(r, '00_low'), 'opens with its title')],
    outputs=[(add('00_low', ('1/0', dict(output_type='error', ename='Bad', evalue='', traceback=[]))), 'a stored error'),
             (add('00_low', ('x', SAID('stderr', 'hm'))), 'stored stderr'), (add('00_low', ('x', SAID('stdout', 'UserWarning: hm'))), 'stored warning'),
             (add('00_low', ('x', {**value(text_plain='x'), 'data': {'application/vnd.jupyter.widget-view+json': {}}})), 'a widget'),
             (add('00_low', ('x', value(text_markdown='|  | a |\n| --- | --- |\n| x | 1 |'))), 'a table with a column that has no name: |  | a |'),
             (add('00_low', '| b | |\n|---|---|\n| x | 1 |'), 'a table with a column that has no name: | b | |'),
             (lambda r: write(r, '20_bare', notebook('Bare', None, ('1 + 1', None))), 'no stored outputs'), (add('checks/10_high', ('x', SAID('stderr', 'hm'))), 'nbs/checks/10_high.ipynb cell 4: stored stderr')],
    floors=[(swap(LOW, 'def double', 'from lib.high import four\ndef double'), 'low.py line 9: imports high, whose notebook does not come earlier'), (swap(LOW, '    return', '    from . import high\n    return'), 'does not come earlier'),
            (swap(HIGH, 'def four', 'from .more import eight\ndef four'), 'imports more, whose notebook does not'), (swap(HIGH, 'def four', 'from .high import four\ndef four'), 'imports high, whose'),
            (swap('lib/more.py', 'def eight', 'from .__main__ import sys\ndef eight'), 'imports __main__, whose'),
            (lambda r: (r/'lib'/'own.py').write_text('# %% ../nbs/checks/10_high.ipynb #1', encoding='utf-8'), 'lib/own.py: comes from no numbered notebook'), (both(*[swap('lib/__main__.py', 'nbs/11_', 'nbs/')]*3), 'lib/__main__.py: comes from no')],
    dependencies=[(swap(LOW, 'def double', 'import fastcore\ndef double'), 'must run without'), (swap(LOW, 'def double', 'import pandas\ndef double'), 'does not require'),
                  (swap(LOW, 'def double', 'import matplotlib.pyplot\ndef double'), 'at the top'), (add('00_low', ('import pandas', None)), 'does not require'),
                  (add('checks/10_high', ('import pandas', None)), 'nbs/checks/10_high.ipynb cell 4: imports pandas'), (swap('lib/__main__.py', 'import sys', 'import sys, fastcore'), 'lib/__main__.py line 9: imports fastcore')],
    side_effects=[(both(swap(LOW, 'def double', 'import torch, IPython; torch.manual_seed(3); torch.set_num_threads(3); print("hello"); open("x", "w").close()\ndef double'),
                        lambda r: (r/'lib'/'z.py').write_text('1/0', encoding='utf-8')), ['changes torch_rng', 'changes threads', 'imports IPython', 'hello', 'writes x', 'ZeroDivisionError']),
                  (swap('lib/__main__.py', 'if __name__ == "__main__" and __package__: print(four(2)', 'if True: print("it ran"'), 'it ran'),
                  (swap('lib/__main__.py', 'print(four(2)', 'import accelerate; print(four(2)'), "`python -m lib --help` without what is not everywhere: ModuleNotFoundError: No module named 'accelerate'"),
                  (swap('lib/__main__.py', 'print(four(2), sys.argv)', '0'), '`python -m lib --help` prints nothing')],
    docments=[(both(swap(LOW, "['double']", "['double', 'Grown']"), swap(LOW, 'def double', GROWN)), ['Grown: no comment beside x', 'Grown: no comment beside z', 'Grown.size: no docstring']),
              (swap(LOW, '# a number', ''), 'no comment beside x'), (swap(LOW, '"Twice `x`"', 'pass'), 'no docstring'), (swap(LOW, ') -> int', ')'), 'not annotated'),
              (swap(LOW, 'x: int # a', 'x: int, y: int # a'), 'shares its line'),
              (swap('lib/__main__.py', 'if __name__', '__all__ = ["run"]\ndef run() -> None: pass\nif __name__'), 'lib/__main__.py line 14: run: no docstring')],
    compiles=[(swap(LOW, 'return 2*x', 'return 2*'), 'invalid syntax'), (swap(LOW, 'return 2*x', 'type X = int'), 'lib/low.py line 13')],
    lengths=[(add('00_low', ('#| hide\n' + 'x = 1\n'*31, None)), 'nbs/00_low.ipynb cell 5 (cn0): 31 lines'), (add('checks/10_high', ('x = 1\n'*31, None)), 'nbs/checks/10_high.ipynb cell 4'),
             (exempt, '00_low.ipynb:2low, which is short enough')],         # last: the next break would see it too
    style=[(swap(LOW, 'return 2*x', 'y = x; return 2*x'), 'lib/low.py:13:10: E702'), (add('00_low', ('x = 1; y = 2', None)), 'nbs/00_low.ipynb:cell 6:1:6: E702'),
           (add('checks/10_high', (f'x = "{"x"*120}"', None)), 'E501'), (swap(HIGH, 'return', 'return nothing +'), 'F821'), (lambda r: (r/'pyproject.toml').unlink(), 'pyproject.toml: missing')],
    types=[(swap(LOW, 'x: int', 'x: Intt'), 'Name "Intt" is not defined')],
    paths=[(add('00_low', f'Look in {FOLDER}.'), FOLDER[:-2])],
    address=[(lambda r: (r/'lib'/'no.txt').write_text(N.settings(r)['git_url'], encoding='utf-8'), 'lib/no.txt'), (lambda r: (r/'lib'/'no.txt').write_text(N.settings(r)['doc_host'], encoding='utf-8'), 'lib/no.txt')],
    sizes=[(lambda r: (r/'runs/a/w').write_bytes(bytes(9*2**20)), '8 is the limit'), (lambda r: [((r/f'runs/{k}').mkdir(), (r/f'runs/{k}/w').write_bytes(bytes(7*2**20))) for k in 'bcdefg'], '42.0 MB, 40 is the limit'),
           (lambda r: (r/'nbs/left.pt').touch(), 'does not belong'), (lambda r: (r/'nbs/checks/left.pt').touch(), 'nbs/checks/left.pt: does not belong'),
           (lambda r: [write(r, f'{d}/10_x', notebook('X', None, ('1', None))) for d in ('other', 'howto', 'checks')], 'nbs/other/10_x.ipynb: does not belong'),
           (swap('nbs/checks/10_high.ipynb', 'A sentence.', 'A'*5*2**20), 'nbs/checks/10_high.ipynb: 5.0 MB, 4'), (swap('nbs/00_low.ipynb', 'A sentence.', 'A'*5*2**20), '4 is the limit')],
    witnesses=[(recorded, ['runs/a: w differs by 1', 'runs/b: its code has changed, and its witness agrees'])],
    shown_runs=[(both(recorded, add('00_low', ('run', value(text_plain=['a: 4 steps in 1 s on it (1 threads), today, torch 2; fresh'])))), "the record says 'a: 3 steps"),
                (both(recorded, swap('README.md', 'A sentence.', 'a: 3 steps in 1 s on it (1 threads), today, torch 2; stale (x changed)')), 'README.md: shows')],
    prose=[(add('00_low', 'It falls to 4.5 here, or by 12 % in all.'), ['falls to 4.5 here', 'by 12 % in all']), (add('00_low', 'FID falls to 45 FID.'), 'falls to 45 FID'),
           (add('00_low', '## The trouble'), 'a word to avoid: ## The trouble'),
           (lambda r: (r/'tools'/'prose.txt').write_text('00_low: not there  # no reason', encoding='utf-8'), 'excuses nothing: 00_low: not there')],
    chapters=[(add('00_low', ('x = 1\n'*31, None)), '00_low.ipynb: over in longest')],
    colab=[(swap('nbs/10_high.ipynb', 'google.colab', 'google'), 'nbs/10_high.ipynb: its first code cell'), (lambda r: write(r, '20_own', notebook('Own', None, ('import os', None))), 'nbs/20_own.ipynb')],
    locked=[(lambda r: (r/'licences.txt').unlink(), 'licences.txt: missing'), (swap('settings.ini', 'torch>=2.11', 'torch>=99'), 'is not torch>=99'),
            (swap('settings.ini', ' numpy ', ' numpy no-such '), '0 versions of no-such'), (swap('requirements.lock', 'tqdm==', 'tqdm>='), 'no exact version'),
            (swap('licences.txt', '\ntqdm ', '\nother '), 'nothing about tqdm'), (swap('licences.txt', '\ntqdm ', '\nother '), 'other is not in'),
            (swap('requirements.lock', ', 3.13: ', ', 3.13, 3.14: '), ' with Python 3.14')],
    sidebar=[(swap('_quarto.yml', '10_high', '19_high'), '10_high.ipynb is not in the sidebar'), (swap('_quarto.yml', 'checks/10_high', 'checks/no'), ' checks/10_high.ipynb is not in the sidebar'),
             (swap('_quarto.yml', 'checks/10_high', 'checks/no'), 'checks/no.ipynb does not exist'), (swap('_quarto.yml', 'href: checks', 'href: checks/10_high.ipynb\n      - href: checks'), 'out of order'),
             (lambda r: write(r, 'howto/images', notebook('X', None, ('1', None))), 'howto/images.ipynb is not in the sidebar'),
             (both(swap('_quarto.yml', 'index', '99_x'), swap('_quarto.yml', '00_low', 'index'), swap('_quarto.yml', '99_x', '00_low')), 'out of order'), (swap('_quarto.yml', '00_low', '12_low'), '12_low.ipynb does not exist'),
             (both(swap('_quarto.yml', '00_low', '99_x'), swap('_quarto.yml', '10_high', '00_low'), swap('_quarto.yml', '99_x', '10_high')), 'out of order')],
)


def can_fail(*names):
    "Where one of the checks `names` does not pass the sound project, or passes a broken one"
    import checks
    found, out = {f.__name__: f for f in checks.ALL}, []
    with tempfile.TemporaryDirectory() as tmp:
        base = Path(tmp).resolve()/'sound'
        sound(base)
        for name in names:
            out += [f'{name} fails on a sound project: {w}' for w in found[name](base)]
            for k, (harm, said) in enumerate(BREAKS[name]):
                root = Path(tmp).resolve()/f'{name}{k}'
                shutil.copytree(base, root, symlinks=True)
                harm(root)
                wrong = found[name](root)
                out += [f'{name}, break {k}: should say {s!r}, says {wrong}' for s in ([said] if isinstance(said, str) else said) if not any(s in w for w in wrong)]
    return out


def runner():
    "tools/test.py fails where a notebook fails, in either pass, when shown, is too slow, or where nothing runs; and counts"
    out = []
    def test(*words, limit=100):
        return subprocess.run([sys.executable, str(TOP/'tools'/'test.py'), '--root', str(root), '--limit', str(limit), '--cpu', '3', *words], capture_output=True, encoding='utf-8')
    with tempfile.TemporaryDirectory() as tmp:
        root = Path(tmp).resolve()/'project'
        sound(root)
        swap(HIGH, 'double(double(x))', 'x')(root)                                               # only the exported definition is wrong
        add('10_high', ('assert four(3) == 12', None))(root)
        (root/'lib'/'own.py').write_text('x = 1\n', encoding='utf-8')
        write(root, '20_own', notebook('Own', 'own', ('#| export\nassert False', None), ('x = 1', None)))                        # only its own
        write(root, '21_shown', notebook('Shown', None, ('class A:\n    def _repr_html_(self): return 1/0\nA()', None)))       # fails when it is displayed
        write(root, '22_slow', notebook('Slow', None, ('import time\nwhile time.process_time() < 3.5: pass', None)))
        write(root, 'checks/20_own', notebook('Own: tests', None, ('import os', None), ('assert os.getcwd().endswith("checks")', None), ('1/0', None)))   # a companion
        want = {'00_low': 'ok', '00_low@exported': 'ok', '10_high': 'ok', '10_high@exported': 'FAIL', '10_more': 'ok', '10_more@exported': 'ok', 'checks/10_high': 'ok', 'checks/20_own': 'FAIL', '20_own': 'FAIL', '20_own@exported': 'ok',
                '21_shown': 'FAIL', '22_slow': 'FAIL'}
        r = test('0_', '2')
        got = {m[2]: m[1] for m in re.finditer(r'(?m)^(ok|FAIL) +(\S+) ', r.stdout)}
        if got != want or r.returncode != 1 or r.stdout.splitlines()[-1] != '7 passed, 5 failed': out.append(f'{got}\n{r.stdout}{r.stderr}')
        out += [f'does not say {s!r}' for s in ('assert four(3) == 12', 'ZeroDivisionError', 'of processor time; a notebook may take') if s not in r.stdout]
        write(root, '30_hangs', notebook('Hangs', None, ('import time; time.sleep(1000)', None)))
        r = test('30_hangs', limit=3)
        if r.returncode != 1 or 'the time limit' not in r.stdout: out.append(f'hangs: {r.returncode}\n{r.stdout}{r.stderr}')
        for words, code, last in [(['nothing-is-called-this'], 1, '0 passed, 0 failed'), (['00_low'], 0, '2 passed, 0 failed')]:
            r = test(*words)
            if r.returncode != code or r.stdout.splitlines()[-1] != last: out.append(f'{words}: {r.returncode}\n{r.stdout}{r.stderr}')
        for words, second in [((), False), (('high',), True), (('@exported',), True)]:
            names = test(*words, '--list').stdout.split()
            if ('10_high@exported' in names) != second or ('10_high' in names) != ('@exported' not in words): out.append(f'--list {words}: {names}')
        for clash in ('sizes', '10_high@exported', '50_two\nlines'):
            write(root, clash, notebook('Clash', None, ('1', None)))
            r = test('00_low')
            if r.returncode != 1 or 'rename the notebook' not in r.stderr: out.append(f'a notebook called {clash!r}: {r.returncode}\n{r.stdout}{r.stderr}')
            (root/'nbs'/f'{clash}.ipynb').unlink()
    return out


def searching():
    "Records without imports and TeX, in the order of Fuse; functions in the order of their source; pages finished without other hosts"
    import finish, search
    record = lambda href, title, section, text: dict(href=href, title=title, section=section, text=text)
    good = record('low.html#grid', 'Low', 'grid', 'Draws a grid')
    shadow = record('other.html', 'Grid of pictures', '', 'grid grid')
    out = [] if search.rank('grid', [shadow, good]) == ['low.html#grid', 'other.html'] else ['an exact name does not come first']
    if search.faults([good, shadow], {'grid': ['low.html']}): out.append('a sound index has faults')
    wants = {'other.html comes 2': [good, record('other.html#x', 'A', 'x', 'grid')], 'comes nowhere': [good], 'imports in the record': [record('a.html', 'A', '', 'Text\nimport torch\n')], 'TeX in the record': [record('a.html', 'A', '', r'so \hat x')]}
    for said, index in wants.items():
        if not any(said in f for f in search.faults(index, {'grid': ['other.html'] if 'comes' in said else ['a.html']} if 'comes' in said else {})): out.append(f'search.faults should say {said!r}')
    text = 'A $\\hat y_{1}$ of `x` and [b](c.html): $$\\frac{a}{b} \\tag{1}$$'
    if search.words(text) != 'A y_1 of x and b: a/b': out.append(f'words: {search.words(text)!r}')
    if search.anchors(['A `b_c` d!', 'A `b_c` d!', '2. Twice', 'The $x$ of it', 'Run: a --b', 'Run `--b`']) != ['a-b_c-d', 'a-b_c-d-1', 'twice', 'the-x-of-it', 'run-a-b', 'run---b']: out.append('anchors')
    shown = [cell(n, f'show_doc({n})') for n in 'bac']
    for c in shown: c['source'] = ''.join(c['source'])
    nb = dict(cells=shown)
    finish.in_order(nb, ['a', 'b', 'c'])
    if [c['id'] for c in nb['cells']] != ['ca', 'cb', 'cc']: out.append('functions are not put into order')
    page = '<script src="https://cdnjs.x/polyfill.min.js"></script><script async src="mathjax/tex-chtml-full.js"></script><a href="https://github.com/">r</a><li><a href="https://github.com/u/r/blob/main/nbs/10_x.ipynb" class="toc-action">v</a></li>'
    made = finish.finished(page, 'checks/x.html', 'https://github.com/u/r', True)
    wanted = 'src="../mathjax/tex', 'href="https://github.com/u/r"', 'https://colab.research.google.com/github/u/r/blob/main/nbs/10_x.ipynb'
    out += [f'finished: no {w}' for w in wanted if w not in made] + ['finished: polyfill']*('polyfill' in made)
    if finish.CDN not in finish.finished(page, 'x.html', 'https://github.com/u/r', False): out.append('finished: no MathJax where it is not on the site')
    site = 'https://s.io/r/'
    linked = finish.relative(f'[`_a`]({site}low.html#_a), [`b`]({site}low.html#b)', 'checks/x.ipynb', site, {'low.html': {'b'}})
    if linked != '`_a`, [`b`](../low.html#b)': out.append(f'relative: {linked}')
    if finish.relative(f'[`train`]({site}low.html#train)', 'x.ipynb', site, {}) != '`train`': out.append('a word that is linked')
    linked = finish.relative(f'[the [`b`]({site}low.html#b) of it](low.ipynb) and [`b`]({site}low.html#b)', 'x.ipynb', site, {'low.html': {'b'}})
    if linked != '[the `b` of it](low.ipynb) and [`b`](low.html#b)': out.append(f'a link within a link: {linked}')
    return out


def finishing():
    "What tools/finish.py makes of cells: closed folds, pictures as files, descriptions of drawings, cards; and dead links, weights and queries are seen"
    import finish, faulty, itertools, pages, search
    out = []
    def want(what, got, *words, never=()):
        out.extend(f'{what}: no {w!r} in {got!r}' for w in words if w not in got)
        out.extend(f'{what}: {w!r} in {got!r}' for w in never if w in got)
    for what, source, summary in [('imports', 'import os', 'Imports'), ('a source', '#| code-fold: show\n#| code-summary: "Source"\nx = 1', 'Source')]:
        folded = dict(cell_type='code', source=source, outputs=[])
        finish.fold(folded)
        want(what, pages.markdown(dict(cells=[folded])), f'<details><summary>{summary}</summary>')
    page = dict(cells=[dict(cell_type='code', source=t, outputs=[]) for t in ('#| export\nimport os', 'import re\nfrom a import b', '#| include: false\nimport ast', 'x = 1', 'import io')])
    finish.join_imports(page)
    if [c['source'] for c in page['cells']] != ['#| export\nimport os\nimport re\nfrom a import b', '#| include: false\nimport ast', 'x = 1', 'import io']: out.append(f'cells of imports are joined as {page}')
    unfolded = dict(cell_type='code', source='import os\nx = 1', outputs=[])
    finish.fold(unfolded)
    want('a cell that does more than import', pages.markdown(dict(cells=[unfolded])), never=['<details'])
    def results(): return [dict(cell_type='code', source='x = 1\n'*n, outputs=[]) for n in (10, 9)]
    page = [dict(cell_type='markdown', source='## Data\n### Results of others'), *results(), dict(cell_type='markdown', source='## Use'), *results()]
    finish.fold_results(dict(cells=page))
    if [k for k, c in enumerate(page) if 'code-fold' in c['source']] != [1]: out.append('not just the long cell of results is folded')
    found = []
    def looking():                                  # as pypandoc looks: whoever asks meanwhile gets what was found so far
        if not found:
            found.append('old')
            time.sleep(.1)
            found.append('new')
        return found[-1]
    with mock.patch('pypandoc.get_pandoc_path', looking), mock.patch('subprocess.run', lambda words, **k: subprocess.CompletedProcess(words, 0, words[0], '')), ThreadPoolExecutor(4) as pool:
        used = {path for path, _ in pool.map(lambda k: pages.pandoc([], ''), range(4))}
    if used != {'new'}: out.append(f'threads use different pandocs: {used}')
    answers = dict(cells=[dict(cell_type='code', source=f'#| code-fold: true\n#| code-summary: "{s}"\nx', outputs=o) for s, o in (('A solution', [value(text_plain='4')]), ('A solution', []), ('Imports', [value(text_plain='5')]))])
    finish.fold_answers(answers)
    want('an answer', pages.markdown(answers), '<details class="answer"><summary>A solution</summary>', never=['<details open>'])
    kinds = [c['cell_type'] for c in answers['cells']]
    if kinds != ['markdown', 'code', 'markdown', 'code', 'code'] or answers['cells'][1]['source'] != 'x': out.append(f'not just the solution with an answer is folded: {kinds}')
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        film = dict(cell_type='code', source='film', outputs=[value(**{'text/html': '<img src="data:image/png;base64,AAAA">'})])
        finish.raw_html(film, 'checks/10_x.ipynb', tmp, itertools.count(1))
        want('a film', str(film['outputs'][0]['data']), '{=html}', 'src="../media/checks-10_x-1.png"', never=['base64', 'text/html'])
        if not (tmp/'media'/'checks-10_x-1.png').is_file(): out.append('a film: its picture is no file')
        (tmp/'a.svg').write_text('<svg><title>Two nets</title></svg>', encoding='utf-8')
        want('a drawing', finish.described('![](a.svg), ![](a.svg){fig-alt="own"}', '10_x.ipynb', tmp), '![](a.svg){fig-alt="Two nets"}', '{fig-alt="own"}')
        shown = finish.unlinked('[`a`](b.html#a)\n```python\ndef f(\n    x, # see [`a`](b.html#a)\n)\n```\n')
        if shown != '[`a`](b.html#a)\n```python\ndef f(\n    x, # see `a`\n)\n```\n': out.append(f'a link in a signature: {shown!r}')
        near = finish.closer('short          # (4)\n' + 'x'*60 + ' '*20 + '# (5)\n' + 'x'*70 + "'   # a'")
        if near != 'short          # (4)\n' + 'x'*60 + '  # (5)\n' + 'x'*70 + "'   # a'": out.append(f'comments: {near!r}')
        rows = finish.together('| 0.34 ± 0.09 (n = 3) | a |\n1 ± 2')
        if rows != '| 0.34\u00a0±\u00a00.09\u00a0(n\u00a0=\u00a03) | a |\n1 ± 2': out.append(f'a result is broken in a table: {rows!r}')
        rows = finish.together('| 0.34 ± 0.09 (n = 3) ' + '| a '*6 + '|')
        path = finish.together('| a/b/c.sh, `a/b/c` | [a/b](a/b/c) |')
        if path != '| a/<wbr>b/<wbr>c.sh, `a/b/c` | [a/b](a/b/c) |': out.append(f'a path in a table: {path!r}')
        options = finish.together('| --lr 1 | `--lr 1` | a--b |')
        if options != r'| \-\-lr 1 | `--lr 1` | a--b |': out.append(f'options in a table: {options!r}')
        if rows != '| 0.34\u00a0±\u00a00.09 (n\u00a0=\u00a03) ' + '| a '*6 + '|': out.append(f'a row of many columns: {rows!r}')
        said = finish.undescribed('*Initialize self.  See help(type(self)) for accurate signature.*\n*A net*')
        if said != '\n*A net*': out.append(f'a docstring of Python: {said!r}')
        if finish.undescribed('*Call self as a function.*'): out.append('a docstring of Python, of a method that is called')
        said = finish.starred('---\n\n*A net: a,*\nb, and c\n\nMore.')
        if said != '---\n\n*A net: a, b, and c*\n\nMore.': out.append(f'a sentence of two lines: {said!r}')
        said = finish.signature("---\n```python\ndef f(\n    x:NoneType=None, # see\n    y:__main__.Run=print, # y\n    s:float=1.4142135623730951,\n    p:PosixPath=Path('/a/b/lib'),\n    q:PosixPath=Path('data'),\n)->int: # a number\nof it\n```\n")
        if said != '---\n```python\ndef f(\n    x=None, # see\n    y:Run=print, # y\n    s:float=1.41421,\n    p:Path=Path(\'.../lib\'),\n    q:Path=Path(\'data\'),\n)->int: # a number\n# of it\n```\n': out.append(f'a signature: {said!r}')
        said = finish.breakable('<p><code>f --no-x</code> <a>--y</a></p><pre><code>f --z</code></pre><h3 id="a.b">A.b_c</h3><table><thead><tr><th>a</th><th>b</th><th>c</th><th>d</th></tr></thead><tr><td>' + 'word '*20 + '</td></tr></table>')
        want('what may break', said, '<code>f <span class="option">--no-x</span></code> <a>--y</a>', '<code>f --z</code></pre>', '<h3 id="a.b">A.<wbr>b_<wbr>c</h3>', '<table data-sentences>')
        said = finish.starred('---\n\n*Maps (N, 64*width), `a*b`, of __init__*')
        if said != '---\n\n*Maps (N, 64\\*width), `a*b`, of \\_\\_init\\_\\_*': out.append(f'an asterisk in a line that is italic: {said!r}')
        made = finish.api_page([('m', 'M', 'm.html', [search.Heading(name=n, anchor=n) for n in ('f', 'C.__call__')])])
        if '`f`' not in made or '__call__' in made: out.append(f'the index of the library: {made!r}')
        shows = dict(cells=[dict(cell_type='code', source='#| fig-alt: "Eight points"\nx', outputs=[value(**{'image/png': 'AAAA'})])])
        if finish.card(shows, '10_x.ipynb', tmp) != ('cards/10_x.png', 'Eight points') or not (tmp/'cards'/'10_x.png').is_file(): out.append('a card is not the first picture')
        if finish.card(dict(cells=[]), '10_x.ipynb', tmp) != (finish.SITE_CARD, ''): out.append('a page without pictures does not have the card of the site')
        rows = '| [10 A](10_a.ipynb) | 60 | learn a | points |\n| [11 B](11_b.ipynb) | 5 | learn b |'
        front = dict(cells=[dict(cell_type='markdown', source=f'Before\n\n| chapter | minutes | what | data |\n|---|---|---|---|\n{rows}\n\nAfter')])
        if not finish.chapter_cards(front, {'10_a.ipynb': ('cards/10_a.png', '')}, tmp): out.append('no table of chapters is found')
        want('cards', front['cells'][0]['source'], 'Before', 'After', '[60 min, points]{.card-time}', '[5 min]{.card-time}', '](cards/10_a.png)', f']({finish.SITE_CARD})', never=['|---'])
        if finish.chapter_cards(dict(cells=[dict(cell_type='markdown', source='| page | what |\n|---|---|\n| [a](a.ipynb) | b |')]), {}, tmp): out.append('another table becomes cards')
        out += [f'not seen: {w}' for w in faulty.plain(tmp)]
    return out


PATCH = '''def patch(f=None, *, as_prop=False):
    if f is None: return lambda f: patch(f, as_prop=as_prop)
    cls = next(iter(f.__annotations__.values()))
    setattr(cls, f.__name__, property(f) if as_prop else f)
    return f.__globals__.get(f.__name__)
'''
GROWS = '''from lib.basics import patch
class Grows: pass

@patch
def less(self: Grows, x=9): return x - 1

@patch(as_prop=True)
def more(self: Grows): return 1 + 1

@patch
def __repr__(self: Grows): return str(2)

class PublishedGrows: pass

@patch
def twice(self: PublishedGrows): return 2*2'''


def steps():
    "A step that a script could not hold, and one that computes something else there, are found"
    import importlib.util
    import steps as S
    source = """
_hidden = 1
class Base:
    def penalty(self): return self.scale
class Loop(Base):
    def step(self): return dict(loss=self.penalty() + self.weight)
class Private(Loop):
    def step(self): return dict(loss=self.penalty() + _hidden)
class Parent(Loop):
    def step(self): return super().step()
"""
    with tempfile.TemporaryDirectory() as tmp:
        path = Path(tmp)/'some_loops.py'
        path.write_text(source, encoding='utf-8')
        spec = importlib.util.spec_from_file_location('some_loops', path)
        module = importlib.util.module_from_spec(spec)
        sys.modules['some_loops'] = module
        spec.loader.exec_module(module)
        text, found, plain, faults = S.script(module.Loop)
        out = [] if not faults and set(found) == {'step', 'penalty'} and plain == {'scale', 'weight'} else [f'a plain step: {faults}, {set(found)}, {plain}']
        for cls, said in (module.Private, 'step uses _hidden'), (module.Parent, 'step calls super()'):
            faults = S.script(cls)[3]
            if not any(said in f for f in faults): out.append(f'{cls.__name__}: should say {said!r}, says {faults}')
        del sys.modules['some_loops']
    return out


def mutation():
    "tools/mutate.py tells what a notebook notices from what it does not and from what it never reaches; reasons count; a second run tries nothing"
    out = []
    with tempfile.TemporaryDirectory() as tmp:
        root = Path(tmp).resolve()/'project'
        sound(root)
        code = '#| export\ndef part(\n    x: int = 5 # a number\n) -> int:  # a part\n    "A part"\n    if x > 3:\n        return x - 1\n    return 2*x'
        write(root, '20_part', notebook('Part', 'part', ('#| export\nWHOLE = 7', None), (code, None), ('d = tempfile.mkdtemp() if 0 else 1', None), ('assert WHOLE == 7', None), ('assert part() == 4', None),
                                          (f'#| export\n{GROWS}', None), ('assert (Grows().less(), Grows().more) == (8, 2)', None)))
        (root/'lib'/'part.py').write_text('# %% ../nbs/20_part.ipynb #1\nWHOLE = 7\n\n' + code + '\n' + GROWS + '\n', encoding='utf-8')
        (root/'lib'/'basics.py').write_text(PATCH, encoding='utf-8')
        def mutate(*words): return subprocess.run([sys.executable, str(TOP/'tools'/'mutate.py'), '--root', str(root), '--work', f'{tmp}/work', '--sample', '99', '--modules', 'part', *words], capture_output=True, encoding='utf-8')
        listed = mutate('--list').stdout.splitlines()
        keys = {k: next((r.split()[0] for r in listed if r.endswith(k)), '') for k in ('x > 3  ->  x >= 3', ': 3  ->  4')}
        (root/'tools'/'mutants.txt').write_text(f"# why\n{keys['x > 3  ->  x >= 3']} part.py :: never asked of 3\n", encoding='utf-8')
        first, second = mutate(), mutate()
        for k, r in dict(first=first, second=second).items():
            if r.returncode or not r.stdout.endswith('11 of 15 killed, 2 survived (1 with a reason), 2 not reached\n'): out.append(f'{k}: {r.returncode} {r.stdout[-900:]}{r.stderr[-900:]}')
        out += [f'does not say {s!r}' for s in ('x > 3  ->  x >= 3   [never asked of 3]', 'not reached', f"survived  {keys[': 3  ->  4']}") if s not in first.stdout]
        if '20_part.ipynb: ' in second.stdout or '20_part.ipynb: 13 mutants' not in first.stdout: out.append('the second run tried them again')
    return out


# What stands for pip and for Python in the clones below: `pip install -e .` writes the folder it is called in, and its log, into the environment
PIP = """import os, sys
site = os.path.dirname(os.path.dirname(__file__))
open(os.path.join(site, 'vidgan.pth'), 'w').write(os.getcwd())
open(os.path.join(sys.prefix, 'log'), 'a').write(' '.join(sys.argv[1:]) + chr(10))
"""
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec {python} "$@"
{python} -m venv --without-pip "$3" || exit 1
for site in "$3"/lib/python3*/site-packages; do mkdir "$site/pip"; cp {pip} "$site/pip/__main__.py"; done
"""


def make():
    "`make` installs into an environment of its own, and never silently into one that another clone's vidgan_nb is installed in"
    out = []
    if not shutil.which('make'): return out                     # CONTRIBUTING says how to do without
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp).resolve()
        (tmp/'pip.py').write_text(PIP, encoding='utf-8')
        (tmp/'python').write_text(PYTHON.format(python=sys.executable, pip=tmp/'pip.py'), encoding='utf-8')
        (tmp/'python').chmod(0o755)
        def clone(name):
            for d in ('tools', 'vidgan_nb'): (tmp/name/d).mkdir(parents=True)
            for f in ('Makefile', 'tools/whose.py', 'setup.py', 'settings.ini'): shutil.copy2(TOP/f, tmp/name/f)
            (tmp/name/'vidgan_nb'/'__init__.py').touch()
            (tmp/name/'tools'/'test.py').write_text('import sys, vidgan_nb; print("tests in", sys.prefix, "of", vidgan_nb.__file__)', encoding='utf-8')
        def run(name, *words, wanted, code=0, installs=0, where=None, **env):
            where = where or tmp/name/'.venv'
            log = lambda: (where/'log').read_text(encoding='utf-8').count('install') if (where/'log').exists() else 0
            before = log()
            keep = {k: v for k, v in os.environ.items() if k not in ('VIRTUAL_ENV', 'VENV', 'CI', 'FORCE', 'MAKEFLAGS', 'PYTHONPATH', 'MAKELEVEL', 'PYTHON')}
            r = subprocess.run(['make', '--no-print-directory', *words], cwd=tmp/name, capture_output=True, encoding='utf-8', env={**keep, 'PYTHON': str(tmp/'python'), **env})
            said = r.stdout + r.stderr
            if r.returncode != code or log() - before != installs or any(w not in said for w in wanted): out.append(f'{name}: make {words} {env}: {log() - before} installs, exit status {r.returncode}: {said}')
            return said
        tests = lambda name, env=None: f'tests in {env or tmp/name/".venv"} of {tmp/name/"vidgan_nb"}'
        for name in ('a', 'b', 'c', 'e'): clone(name)
        theirs = tmp/'a'/'.venv'
        run('a', 'test', wanted=['making .venv', tests('a')], installs=1)                                       # a fresh clone
        if 'installing' in run('a', 'test', wanted=[tests('a')]): out.append('an environment that is in order is installed again')
        run('a', 'test', wanted=[tests('a')], VIRTUAL_ENV=str(theirs))                                          # its own, active
        pth = next(theirs.glob('lib/*/site-packages/vidgan.pth'))
        refusal = [f'installed from {tmp/"a"}', 'make VENV=.venv test', 'FORCE=1']
        run('b', f'VENV={theirs}', 'test', wanted=refusal, code=2, where=theirs)                                # another clone's, asked for: refused
        run('b', 'test', wanted=refusal, code=2, where=theirs, VENV=str(theirs))
        run('b', 'clean', wanted=[], where=theirs, VENV=str(theirs))
        run('b', 'test', wanted=[f'{theirs} has vidgan_nb installed from {tmp/"a"} and stays as it is', tests('b')], installs=1, VIRTUAL_ENV=str(theirs))    # active: passed over
        run('b', 'test', wanted=['stays as it is', tests('b')], VIRTUAL_ENV=str(theirs))
        run('c', f'VENV={theirs}', 'test', wanted=['stays as it is', tests('c')], installs=1, CI='true')        # in CI too, even where it was asked for
        if pth.read_text(encoding='utf-8') != str(tmp/'a'): out.append(f'an environment that is passed over now belongs to {pth.read_text(encoding="utf-8")}')
        (tmp/'e'/'.venv').symlink_to(theirs)
        run('e', 'test', wanted=refusal[:1], code=2, where=theirs)                                              # .venv that is only a link to another clone's
        run('b', 'setup', f'VENV={theirs}', 'FORCE=1', wanted=['installing'], installs=1, where=theirs)         # taken over
        run('b', 'test', wanted=[tests('b', theirs)], where=theirs, VIRTUAL_ENV=str(theirs))
        run('a', 'test', wanted=[tests('a')], installs=1)                                                       # its own again, since it stands in a
        pth.unlink()
        run('a', 'test', wanted=[tests('a')], installs=1)                                                       # uninstalled by hand
        (tmp/'b').rename(tmp/'d')
        run('d', 'test', wanted=[tests('d')], installs=1)                                                       # a clone that was moved
    return out


HEAVY = 'site', 'side_effects'
ALL = {'checks': lambda: can_fail(*(n for n in BREAKS if n not in HEAVY)), **{n: (lambda n=n: can_fail(n)) for n in HEAVY}, 'searching': searching, 'finishing': finishing, 'runner': runner, 'steps': steps, 'mutation': mutation, 'make': make}
