"""What keeps the project honest beside its notebooks: each function takes the top of the repository and returns what is wrong, a line each.

The list ALL at the end is what tools/test.py runs; tools/selfcheck.py shows each of them failing on a small broken project.
"""
import ast, difflib, io, json, os, re, shutil, subprocess, sys, tempfile, tokenize
from importlib import import_module
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import nb as N

DEFS = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
DIRECTIVES = N.EXPORT | set('default_exp hide echo output include label fig-alt fig-cap code-fold code-summary'.split())
RUNTIME_NEVER = set('nbdev fastcore execnb ghapi fastgit jupyter jupyterlab nbconvert nbclient nbformat ipykernel'.split())
LAZY = {'IPython', 'ipywidgets', 'matplotlib', 'torchvision', 'accelerate'}    # inside functions only: dear to import, or not everywhere


def export(root):
    "nbdev_export gives exactly the committed package"
    from nbdev.doclinks import nbdev_export
    with N.copy(root) as tmp:
        old = tmp/N.settings(root)['lib_name']
        for p in old.glob('*.py'):
            if p.name != '__init__.py': p.unlink()
        nbdev_export.__wrapped__()
        new = {p.name: p.read_text(encoding='utf-8') for p in old.glob('*.py')}
    have = {p.name: p.read_text(encoding='utf-8') for p in (Path(root)/old.name).glob('*.py')}
    out = []
    for name in sorted(new.keys() | have.keys()):
        if name not in new: out.append(f'{old.name}/{name}: no notebook exports it')
        elif new[name] != have.get(name):
            d = difflib.unified_diff(have.get(name, '').splitlines(), new[name].splitlines(), 'committed', 'exported', n=0, lineterm='')
            out.append(f'{old.name}/{name}: out of step with its notebook (nbdev_export mends it)\n' + '\n'.join(list(d)[:12]))
    return out


def clean(root):
    "nbdev_clean has nothing to do"
    from nbdev.clean import nbdev_clean
    with N.copy(root) as tmp:
        nbdev_clean.__wrapped__()
        new = {N.name(tmp, p): p.read_bytes() for p in N.notebooks(tmp)}
    return [f'nbs/{n}: nbdev_clean changes it' for p in N.notebooks(root) for n in [N.name(root, p)] if new[n] != p.read_bytes()]


def readme(root):
    "README.md and its pictures are those that index.ipynb makes, and the version to be cited is that of settings.ini"
    import readme as R
    if not (Path(root)/'nbs'/'index.ipynb').exists(): return ['nbs/index.ipynb: missing']
    out = [f'{f}: out of step with nbs/index.ipynb (tools/readme.py mends it)' for f in R.stale(root)]
    cite, version = Path(root)/'CITATION.cff', N.settings(root)['version']
    if cite.exists() and f'version: "{version}"' not in cite.read_text(encoding='utf-8').splitlines():
        out.append(f'CITATION.cff: its version is not {version}, that of settings.ini')
    return out


def cells(root):
    "No cell hides from the tests, no directive is misspelled, no magics, no bare except, no picture without words; a title first"
    out = []
    for path in N.notebooks(root):
        nb = N.read(path)
        def wrong(i, what): out.append(f'nbs/{N.name(root, path)} cell {i}: {what}')
        if (path.parent/'.notest').exists(): wrong(0, 'a file .notest hides it from nbdev_test')
        if not (nb['cells'] and nb['cells'][0]['cell_type'] == 'markdown' and nb['cells'][0]['source'].startswith('# ')): wrong(0, 'a page opens with its title')
        for i, c in enumerate(nb['cells']):
            if c['cell_type'] != 'code' and re.search(r'^(- )?skip_(exec|showdoc)\s*:', c['source'], re.M): wrong(i, 'skip_exec or skip_showdoc in the front matter')
        for i, d, src, c in N.code(nb):
            if d.get('eval', '').lower() == 'false': wrong(i, '`eval: false` hides it from the tests')
            for name in d.keys() - DIRECTIVES - {'eval'}: wrong(i, f'`#| {name}`: not a directive that is used here')
            if re.search(r'^\s*#\s*\|(?!.*hide_line)', src, re.M): wrong(i, 'a directive below code is not read by nbdev')
            if 'nbdev_export' + '(' in src: wrong(i, 'nbdev_test skips a cell that calls nbdev_export')
            if re.search(r'^\s*[%!]', src, re.M): wrong(i, 'a magic or a shell line')
            try: tree = ast.parse(src)
            except SyntaxError as e: wrong(i, f'{e.msg}, line {e.lineno}'); continue
            kinds = {type(n) for n in ast.walk(tree)}
            if not N.EXPORT & d.keys() and kinds & {ast.Import, ast.ImportFrom} and kinds & {ast.Expr, ast.Assign}: wrong(i, 'imports and other code in one cell: building the site would run it')
            if any(isinstance(n, ast.ExceptHandler) and n.type is None for n in ast.walk(tree)): wrong(i, 'a bare except')
            if any('image/png' in o.get('data', {}) for o in c['outputs']) and not d.get('fig-alt'): wrong(i, 'a picture without `#| fig-alt: "..."`')
    return out


def outputs(root):
    "Stored outputs: there, and without errors, warnings, widgets that a page cannot show, or tables with a column that has no name"
    out = []
    for path in N.notebooks(root):
        found = N.code(N.read(path))
        def wrong(i, what): out.append(f'nbs/{N.name(root, path)} cell {i}: {what}')
        if any(src.strip() for _, _, src, _ in found) and not any(c['outputs'] for *_, c in found): wrong(0, 'the notebook has no stored outputs')
        for i, _, _, c in found:
            for o in c['outputs']:
                said = N.text(o.get('text', '')) + ''.join(N.text(v) for k, v in o.get('data', {}).items() if k == 'text/plain')
                if o['output_type'] == 'error': wrong(i, f"a stored error: {o.get('ename')}")
                elif o.get('name') == 'stderr': wrong(i, f'stored stderr: {said.strip()[:100]}')
                elif 'Traceback (most recent' in said or re.search(r'\b\w*Warning:', said): wrong(i, f'a stored warning or traceback: {said.strip()[:100]}')
                if any('widget' in k for k in o.get('data', {})): wrong(i, 'a widget, which a page cannot show')
                for row in headless(N.text(o.get('data', {}).get('text/markdown', ''))): wrong(i, f'a table with a column that has no name: {row[:80]}')
        for i, c in enumerate(N.read(path)['cells']):
            for row in headless(c['source']) if c['cell_type'] == 'markdown' else (): wrong(i, f'a table with a column that has no name: {row[:80]}')
    return out


def headless(text):
    "The head lines of Markdown tables in which a column has no name"
    return [m[1] for m in re.finditer(r'(?m)^(\|.*)\n\|[ :|-]*-[ :|-]*$', text) if re.search(r'\|\s*\|', m[1].replace('\\|', ''))]


def _imports(tree, lib):
    "(node, dotted name of the module) of every import, wherever it stands; relative ones made absolute"
    for n in ast.walk(tree):
        if isinstance(n, ast.Import): yield from ((n, a.name) for a in n.names)
        elif isinstance(n, ast.ImportFrom):
            base = '.'.join(x for x in (lib if n.level else None, n.module) if x)
            yield from ((n, f'{lib}.{a.name}') for a in n.names) if base == lib else [(n, base)]


def floors(root):
    "A module imports only from modules of notebooks that come earlier, by number and then by name"
    lib, found = N.settings(root)['lib_name'], N.modules(root)
    floor = {name: N.floor(path) for name, path in found.items()}
    out = [f'{lib}/{name}.py: comes from no numbered notebook' for name, (n, _) in floor.items() if n == float('inf')]
    for name in floor:
        for n, target in _imports(ast.parse(found[name].read_text(encoding='utf-8')), lib):
            other = target.split('.')[1] if target.startswith(lib + '.') else None
            if other in floor and floor[other] >= floor[name]:
                out.append(f'{lib}/{name}.py line {n.lineno}: imports {other}, whose notebook does not come earlier')
    return out


def dependencies(root):
    "What is imported is declared in settings.ini; the library needs nothing of the notebooks' world"
    cfg, out = N.settings(root), []
    lib, std = cfg['lib_name'], sys.stdlib_module_names
    names = lambda key: {{'pillow': 'PIL', 'pyyaml': 'yaml', 'scikit-learn': 'sklearn', 'pypandoc_binary': 'pypandoc'}.get(r, r)
                         for r in (re.split('[<>=]', r)[0] for r in cfg[key].split())}
    runtime = names('requirements')
    dev = runtime | names('dev_requirements') | {'IPython', 'matplotlib_inline', 'nbformat', 'yaml'}
    for name, path in N.modules(root).items():
        tree = ast.parse(path.read_text(encoding='utf-8'))
        top = {id(n) for n in tree.body}
        for n, target in _imports(tree, lib):
            t = target.split('.')[0]
            where = f'{lib}/{name}.py line {n.lineno}: imports {t}'
            if t in RUNTIME_NEVER: out.append(f'{where}, which the library must run without')
            elif t not in std | runtime | {lib, 'IPython', 'ipywidgets'}: out.append(f'{where}, which settings.ini does not require')
            elif t in LAZY and id(n) in top: out.append(f'{where} at the top; import it inside the function that needs it')
    for path in N.notebooks(root):
        for i, _, src, _ in N.code(N.read(path)):
            try: tree = ast.parse(src)
            except SyntaxError: continue                         # `cells` says so
            for n, target in _imports(tree, lib):
                if target.split('.')[0] not in std | dev | {lib}: out.append(f'nbs/{N.name(root, path)} cell {i}: imports {target}, which settings.ini does not require')
    return out


_SIDE_EFFECTS = r'''
import importlib, os, random, signal, sys, threading
import numpy, torch
def state():
    return dict(torch_rng=torch.get_rng_state().tolist(), numpy_rng=repr(numpy.random.get_state(legacy=False)), random_rng=random.getstate(),
                threads=(torch.get_num_threads(), torch.get_num_interop_threads()), dtype=torch.get_default_dtype(), grad=torch.is_grad_enabled(),
                deterministic=torch.are_deterministic_algorithms_enabled(), backends=(torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision()),
                folder=os.getcwd(), environment=dict(os.environ), signals=[signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)],
                running_threads=threading.active_count())
before, never = state(), set(sys.argv[2].split())
for name in sys.argv[3:]:
    importlib.import_module(f'{sys.argv[1]}.{name}')
    now = state()
    for k in now:
        if now[k] != before[k]: print(f'import {sys.argv[1]}.{name} changes {k}')
    for m in sorted(never & sys.modules.keys()): print(f'import {sys.argv[1]}.{name} imports {m}')
    before, never = now, never - sys.modules.keys()
'''


_WITHOUT = r'''
import runpy, sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name in never: raise ModuleNotFoundError(f'No module named {name!r}')
lib, never, sys.argv[1:] = sys.argv[1], sys.argv[2].split(), ['--help']
sys.meta_path.insert(0, Without())
runpy.run_module(lib, run_name='__main__', alter_sys=True)
'''


def side_effects(root):
    "Importing a module changes no random state, threads or settings, prints nothing, and imports nothing dear; `python -m LIBRARY --help` works without that"
    lib, found, never = N.settings(root)['lib_name'], N.modules(root), ' '.join(RUNTIME_NEVER | LAZY)
    with tempfile.TemporaryDirectory() as tmp:
        def run(code, *args): return subprocess.run([sys.executable, '-c', code, lib, never, *args], cwd=tmp, env={**os.environ, 'PYTHONPATH': str(root)}, capture_output=True, encoding='utf-8')
        r = run(_SIDE_EFFECTS, *found)
        left = os.listdir(tmp)
        out = r.stdout.splitlines() + [f'importing {lib} writes {f}' for f in left] + ([r.stderr.strip()] if r.returncode or r.stderr.strip() else [])
        if '__main__' not in found: return out + [f'{lib}/__main__.py: missing; it makes `python -m {lib}` the command line']
        r, what = run(_WITHOUT), f'`python -m {lib} --help`'
        if r.returncode: out.append(f'{what} without what is not everywhere: ' + (r.stderr.strip().splitlines() or [f'exit status {r.returncode}'])[-1])
        elif not r.stdout.strip(): out.append(f'{what} prints nothing')
    return out


def docments(root):
    "Every public name has a docstring, a comment beside each parameter, and says what it returns; methods that @patch adds too"
    lib, out = N.settings(root)['lib_name'], []
    for name, path in N.modules(root).items():
        source = path.read_text(encoding='utf-8')
        tree, comments = ast.parse(source), _comments(source)
        for node in tree.body:
            if not isinstance(node, DEFS): continue
            cls = N.patched(node)
            if cls.startswith('_') if cls else node.name not in _public(tree): continue
            if cls: wrong = _undocumented_method(node)
            elif isinstance(node, ast.ClassDef): wrong = _undocumented_class(node, tree, comments)
            else: wrong = _undocumented(node, comments)
            out += [f'{lib}/{name}.py line {node.lineno}: {cls + "." if cls else ""}{node.name}: {w}' for w in wrong]
    return out


def _public(tree):
    "The names in a module's __all__"
    return {e.value for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__' for e in n.value.elts}


def _comments(source):
    "The lines of a source that have a comment"
    return {t.start[0] for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.COMMENT and len(t.string.strip('# ')) > 1}


def _undocumented(f, comments):
    "What is missing at a function"
    returns = f.returns or any('contextmanager' in ast.unparse(d) for d in f.decorator_list)
    return ([] if ast.get_docstring(f) else ['no docstring']) + ([] if returns else ['what it returns is not annotated']) + _uncommented(_params(f), comments)


def _undocumented_method(f):
    "What is missing at a method; those that PyTorch or the Loop call need no docstring"
    if f.name[0] == '_' or f.name in ('forward', 'extra_repr', 'step') or ast.get_docstring(f): return []
    return ['no docstring']


def _undocumented_class(node, tree, comments):
    "What is missing at a class: its constructor, and its methods, stand in its body or below it"
    methods = [n for n in node.body if isinstance(n, DEFS)]
    init = [n for n in methods + [n for n in tree.body if N.patched(n) == node.name] if n.name == '__init__']
    fields = [(n.target.id, n.lineno) for n in node.body if isinstance(n, ast.AnnAssign) and any('dataclass' in ast.unparse(d) for d in node.decorator_list)]
    return (([] if ast.get_docstring(node) else ['no docstring']) + [f'its {m.name} has no docstring' for m in methods if _undocumented_method(m)] +
            _uncommented(_params(init[-1])[1:] if init else fields, comments))


def _uncommented(params, comments):
    "Parameters without a comment of their own"
    lines = [line for _, line in params]
    return ([f'no comment beside {p}' for p, line in params if line not in comments] +
            [f'{p} shares its line, and so its comment, with another parameter' for p, line in params if line in comments and lines.count(line) > 1])


def _params(f):
    "(name, line) of every parameter of a definition"
    a = f.args
    return [(p.arg, p.lineno) for p in [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]]


MOST_LINES = 30
LONG = {}         # notebook:id of a cell -> why it cannot be shorter


def lengths(root):
    "A code cell has at most 30 lines, directives not counted"
    out, used = [], set()
    for path in N.notebooks(root):
        for i, _, source, c in N.code(N.read(path)):
            n, cell = len(source.splitlines()), f"{N.name(root, path)}:{c['id']}"
            if n > MOST_LINES and cell not in LONG: out.append(f'nbs/{N.name(root, path)} cell {i} ({c["id"]}): {n} lines, {MOST_LINES} is the limit')
            if n > MOST_LINES: used.add(cell)
    known = {N.name(root, path) for path in N.notebooks(root)}
    return out + [f'tools/checks.py: LONG names {cell}, which is short enough' for cell in LONG.keys() - used if cell.partition(':')[0] in known]


def types(root):
    "mypy finds nothing in the type stubs of the public names, nor in a program that uses them"
    import stubs
    lib = N.settings(root)['lib_name']
    with tempfile.TemporaryDirectory() as tmp:
        (Path(tmp)/lib).mkdir()
        (Path(tmp)/lib/'__init__.pyi').write_text('__version__: str\n', encoding='utf-8')
        stubs.write(root, Path(tmp)/lib)
        use = Path(root)/'tools'/'typed_use.py'
        files = [lib, *([shutil.copy2(use, tmp)] if use.is_file() else [])]
        # override: the forward of a network takes what it needs, whatever nn.Module's or a base class's says
        words = [sys.executable, '-m', 'mypy', '--python-executable', sys.executable, '--ignore-missing-imports', '--follow-imports=silent',
                 '--disable-error-code=override', '--no-error-summary', '--cache-dir', str(Path(tmp)/'cache'), *files]
        r = subprocess.run(words, cwd=tmp, capture_output=True, encoding='utf-8')
    return r.stdout.splitlines() + (r.stderr.splitlines()[-3:] if r.returncode and not r.stdout else [])


def steps(root):
    "The training step of each method, copied into a script of its own, gives the numbers of the library's"
    import steps as S
    return S.faults(root) if (Path(root)/'tools'/'steps.py').is_file() else []


def style(root):
    "ruff finds nothing in the package and in the code cells of the notebooks; its rules are in pyproject.toml"
    if not (Path(root)/'pyproject.toml').is_file(): return ['pyproject.toml: missing; it holds the rules for ruff']
    words = [sys.executable, '-m', 'ruff', 'check', '--no-cache', '--quiet', '--output-format', 'concise', N.settings(root)['lib_name'], 'nbs']
    r = subprocess.run(words, cwd=root, capture_output=True, encoding='utf-8')
    found = [line for line in r.stdout.splitlines() if not _of_the_head(root, line)]
    return found + (r.stderr.splitlines()[-3:] if r.returncode and not r.stdout else [])


def _of_the_head(root, line):
    "Whether ruff finds a line too long that nbdev writes: the subtitle and __all__, above the first cell of a module"
    m = re.match(r'(\w+/\w+\.py):(\d+):\d+: E501', line)
    if not m: return False
    head = re.split(r'(?m)^# %% \.\./nbs/', (Path(root)/m[1]).read_text(encoding='utf-8'), maxsplit=1)[0]
    return int(m[2]) <= head.count('\n')


def compiles(root):
    "Every Python file compiles on the oldest Python that is supported"
    cfg, out = N.settings(root), []
    oldest = tuple(map(int, cfg['min_python'].split('.')))
    for path in [Path(root)/'setup.py', *(Path(root)/cfg['lib_name']).glob('*.py'), *(Path(root)/'tools').glob('*.py')]:
        if not path.exists(): continue
        try: compile(ast.parse(path.read_text(encoding='utf-8'), feature_version=oldest), str(path), 'exec')
        except SyntaxError as e: out.append(f'{path.relative_to(root)} line {e.lineno}: {e.msg}')
    return out


def paths(root):
    "No path of somebody's machine stands anywhere, outputs included"
    folders = 'work root home Users tmp'.split()
    bad, out = re.compile(r'(?<![\w./~:-])/(?:%s)/[\w.]+' % '|'.join(folders)), []
    for path in N.files(root):
        try: lines = path.read_text(encoding='utf-8').splitlines()
        except UnicodeDecodeError: continue
        for i, line in enumerate(lines, 1):
            m = bad.search(line)
            if m and 'image/png' not in line: out.append(f'{path.relative_to(root)} line {i}: {m[0]}')
    return out


def address(root):
    "The repository's public address stands in settings.ini alone, and in what is made from it"
    import colab as C
    cfg, out = N.settings(root), []
    made = {'settings.ini', 'README.md', f"{cfg['lib_name']}/_modidx.py", 'nbs/nbdev.yml'}
    installs = [json.dumps(line) for line in C.source(root).splitlines(True)]         # in the notebooks, put there from settings.ini
    said = re.compile(rf"{re.escape(cfg['user'])}[/.](?:{re.escape(cfg['repo'])}|github)")
    for path in N.files(root):
        name = path.relative_to(root).as_posix()
        try: src = '' if name in made else path.read_text(encoding='utf-8')
        except UnicodeDecodeError: continue
        out += [f'{name} line {i}: {line.strip()[:100]}' for i, line in enumerate(src.splitlines(), 1) if said.search(line) and line.strip(' ,') not in installs]
    return out


def sizes(root):
    "Records stay small, and nothing strays into nbs/"
    out, total = [], 0
    for d in sorted(p for p in (Path(root)/'runs').glob('*') if p.is_dir()):
        mb = sum(f.stat().st_size for f in d.rglob('*') if f.is_file())/2**20
        total += mb
        if mb > 8: out.append(f'runs/{d.name}: {mb:.1f} MB, 8 is the limit')
    if total > 40: out.append(f'runs/: {total:.1f} MB, 40 is the limit')
    for p in N.notebooks(root):
        if p.stat().st_size > 4*2**20: out.append(f'nbs/{N.name(root, p)}: {p.stat().st_size/2**20:.1f} MB, 4 is the limit')
    known = re.compile(r'nbs/(?:(?:(?:checks|howto)/)?(?:\d\d_)?\w+\.ipynb|_quarto\.yml|styles\.css|site\.(?:scss|html)|figures/.+\.(?:svg|png|gif)|images/readme-\d+\.(?:png|jpg|svg))$')
    return out + [f'{n}: does not belong into nbs/' for n in (p.relative_to(root).as_posix() for p in N.files(root)) if n.startswith('nbs/') and not known.match(n)]


def _records(root):
    "The module that reads the project's records, and where they lie; None in a project without"
    lib = N.settings(root)['lib_name']
    if not (Path(root)/lib/'records.py').is_file(): return None, None
    for k in (lib, f'{lib}.records'):                         # of another project, which was looked at before
        if k in sys.modules and not str(sys.modules[k].__file__).startswith(str(root)): del sys.modules[k]
    sys.path.insert(0, str(root))
    try: return import_module(f'{lib}.records'), Path(root)/'runs'
    finally: sys.path.remove(str(root))


def witnesses(root):
    "Every record is whole and says what today's code does: where code changed, its witness is replayed; runs/verified.json is in step"
    R, runs = _records(root)
    if not R: return []
    stale = {n: wrong for n, wrong in R.recheck(runs=runs, root=os.environ.get('VIDGAN_DATA'), write=False).items() if wrong}
    late = [n for n in R.record_names(runs) if n not in stale and R.Run(runs/n).state == 'stale']
    return ([f'runs/{n}: {w}' for n, wrong in stale.items() for w in wrong] +
            [f'runs/{n}: its code has changed, and its witness agrees: note that with "vidgan runs --recheck"' for n in late])


SHOWN = re.compile(r"([\w@=.,+\-]+): [\d,]+ steps in [\d,]+ s on [^'\"\n]*?torch [\w.+]+(?:; (?:fresh|partial|stale|verified)[^'\"\n]*)?")


def shown_runs(root):
    "A stored output, or the README, that shows a run shows it as its record has it"
    R, runs = _records(root)
    if not R: return []
    texts = [(f'nbs/{p.relative_to(Path(root)/"nbs")} cell {i}', N.text(v)) for p in N.notebooks(root) for i, *_, c in N.code(N.read(p))
             for o in c['outputs'] for v in [o.get('text', ''), o.get('data', {}).get('text/plain', '')]]
    texts.append(('README.md', (Path(root)/'README.md').read_text(encoding='utf-8')))
    out = []
    for where, text in texts:
        for m in SHOWN.finditer(text):
            if not (runs/m[1]/'record.json').is_file(): continue                # made in the notebook itself
            now = repr(R.Run(runs/m[1]))
            if m[0].rstrip(',)}]') != now: out.append(f'{where}: shows {m[0][:160]!r}, and the record says {now[:160]!r}: run the notebook again')
    return out


MADE_PAGES = 'api.qmd',             # by tools/finish.py


def locked(root):
    "requirements.lock and licences.txt are in step with settings.ini and with each other"
    import lock
    return lock.problems(root)


def sidebar(root):
    "The site's sidebar names every notebook once and nothing else: index first, those of one folder in the order of the floors"
    import yaml
    found = []
    def walk(x):
        if isinstance(x, dict): walk(x.get('href')); walk(x.get('contents'))
        elif isinstance(x, list): [walk(e) for e in x]
        elif x and x not in MADE_PAGES: found.append(x)
    walk(yaml.safe_load((Path(root)/'_quarto.yml').read_text(encoding='utf-8'))['website']['sidebar'])
    have = [N.name(root, p) for p in N.notebooks(root)]
    want = sorted(have, key=lambda n: n != 'index.ipynb')
    by_folder = lambda names: {d: [n for n in names if os.path.dirname(n) == d] for d in map(os.path.dirname, names)}
    out = [] if os.path.realpath(Path(root)/'nbs'/'_quarto.yml') == os.path.realpath(Path(root)/'_quarto.yml') else ['nbs/_quarto.yml: not a link to the one at the top']
    out += [f'_quarto.yml: {n} is not in the sidebar' for n in want if n not in found] + [f'_quarto.yml: {n} does not exist' for n in found if n not in have]
    return out or ([] if found[:1] == want[:1] and by_folder(found) == by_folder(want) else [f'_quarto.yml: sidebar out of order: {found}'])


def prose(root):
    "No result is typed by hand, and no title or sentence holds a word that our rules of language replace"
    import prose as P
    return P.faults(root)


def chapters(root):
    "A chapter has no more cells, words, asserting cells and open solutions than its reader can take; no code cell is too long"
    import pagecheck
    return [f'{N.name(root, p)}: over in {", ".join(over)}: {found}' for p, found, over in map(pagecheck.row, N.notebooks(root)) if over]


def colab(root):
    "Each chapter begins with the cell that installs the library in Colab"
    import colab as C
    return C.faults(root)


def site(root):
    "Every page can be staged and converted; formulas parse, links, pictures and references resolve, nothing is asked of another host, and search finds every name"
    import pages as S
    return S.check(root)


ALL = [site, witnesses, shown_runs, export, clean, readme, cells, outputs, floors, dependencies, side_effects, docments, lengths, style, types, steps, compiles, paths, address, sizes, locked, sidebar, prose, chapters, colab]
