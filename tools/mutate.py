"""Break the exported package in many small ways, one at a time, and see whether a notebook notices.

    python tools/mutate.py --sample 300 --seed 0          draw 300 changes, as many from each method module; run them
    python tools/mutate.py --sample 30 --modules wgan vid  from these modules only
    python tools/mutate.py --list                          the changes that would be tried, and try none

A change (mutant) is one constant, operator, condition, default, argument or call of one module that is altered or left out; no text of
messages, no drawing, no `Published*` class or `*_row` function of the benchmarks. It is tried on the notebooks that reach its line, the module's own first.
Each notebook is run once, as its exported pass; before the first cell that reaches the changed line a copy of the process is made (a fork),
the change is put into the copy, and the copy runs on until a cell fails. A mutant is killed by a failing cell, or by taking three times as
long as usual, twice. Which cell reaches which line first is found by one traced run, kept until the notebook or the package changes.

Results are appended to --out; the same command goes on where it was stopped, and asks again only of what survived and of notebooks that
have changed since (--anew: of all). tools/mutants.txt lists, with reasons, the survivors that no
test should kill. The last line is `K of N killed, S survived (R with a reason), U not reached`. Needs a system that can fork.
"""
import argparse, ast, copy, gc, hashlib, importlib, json, os, random, shutil, signal, subprocess, sys, tempfile, time, types
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import nb as N
import nbrun

CHAPTERS = range(9, 30)           # numbers of the notebooks whose modules hold methods
DRAWN = 'pictures', '_pictures', 'draw', 'plot', 'panel', '_repr_html_', '_repr_markdown_', '__repr__', '__str__'     # functions that only draw or describe
COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
            ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult}
SAME = 'detach', 'abs', 'sqrt', 'square', 'exp', 'log', 'relu', 'sigmoid', 'tanh', 'softplus', 'softmax', 'log_softmax', 'normalize', 'leaky_relu', 'clamp', 'eval'
ORDERLESS = 'isinstance', 'getattr', 'hasattr', 'min', 'max', 'allclose', 'minimum', 'maximum', 'mse_loss', 'l1_loss'
LATE = 'took longer than'     # how a death by the clock is told
OTHER = {'mean': 'sum', 'sum': 'mean', 'max': 'min', 'min': 'max', 'randn': 'rand', 'rand': 'randn', 'floor': 'ceil', 'ceil': 'floor'}


# ---------------------------------------------------------------------------------------------------------------- what may be changed
def number(v):
    "Another number"
    if isinstance(v, bool): return not v
    if isinstance(v, int): return v + 1
    return 2*v if v else 1.


def changes(node):
    "(kind, what stands in the node's place) of each way to change one node; a list stands for statements"
    out = []
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)): out.append(('constant', ast.Constant(number(node.value))))
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        out.append(('comparison', ast.Compare(node.left, [COMPARED[type(node.ops[0])](), *node.ops[1:]], node.comparators)))
    if isinstance(node, ast.BinOp) and type(node.op) in COMPUTED: out.append(('operator', ast.BinOp(node.left, COMPUTED[type(node.op)](), node.right)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)): out.append(('sign', node.operand))
    if isinstance(node, ast.BoolOp): out.append(('and/or', ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)))
    if isinstance(node, ast.IfExp): out.append(('condition', ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)))
    if isinstance(node, ast.If): out.append(('condition', ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)))
    if isinstance(node, ast.Call):
        name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
        plain = not any(isinstance(a, ast.Starred) for a in node.args)
        if name in SAME and isinstance(node.func, ast.Attribute) and not node.args and not isinstance(node.func.value, ast.Call):
            out.append(('left out', node.func.value))
        elif name in SAME and len(node.args) >= 1 and plain: out.append(('left out', node.args[0]))
        if name in OTHER and isinstance(node.func, ast.Attribute):
            out.append(('another call', ast.Call(ast.Attribute(node.func.value, OTHER[name], ast.Load()), node.args, node.keywords)))
        if len(node.args) > 1 and plain and ast.dump(node.args[0]) != ast.dump(node.args[1]) and name not in ORDERLESS:
            out.append(('swapped', ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)))
        for i, k in enumerate(node.keywords):
            if k.arg: out.append(('argument left out', ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1:])))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call): out.append(('statement left out', ast.Pass()))
    if isinstance(node, ast.AugAssign): out.append(('statement left out', ast.Pass()))
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) and any(
            isinstance(n, ast.Name) and n.id == node.targets[0].id for n in ast.walk(node.value)): out.append(('statement left out', ast.Pass()))
    return out


def places(tree):
    "(field path from the tree, node, statement, function or None, default?) of all that may be changed"
    found = []
    def visit(node, path, statement, function, default):
        if isinstance(node, (ast.Raise, ast.Assert, ast.JoinedStr, ast.Import, ast.ImportFrom)): return
        owner = node.name if isinstance(node, ast.ClassDef) else N.patched(node) or ''
        if owner.lstrip('_').startswith('Published'): return
        if isinstance(node, ast.FunctionDef) and (node.name in DRAWN or node.name.endswith('_row')): return
        if isinstance(node, ast.stmt): statement = node
        found.append((path, node, statement, function, default))
        for field, value in ast.iter_fields(node):
            if field in ('annotation', 'returns', 'decorator_list', 'bases', 'ctx', 'type_ignores'): continue
            given = default or isinstance(node, ast.arguments) and field in ('defaults', 'kw_defaults')
            inside = node if isinstance(node, ast.FunctionDef) and field == 'body' else function
            for i, child in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(child, ast.AST): visit(child, (*path, (field, i if isinstance(value, list) else None)), statement, inside, given)
    for i, node in enumerate(tree.body):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '__all__': continue
        if isinstance(node, ast.Expr): continue
        visit(node, (('body', i),), node, None, False)
    return found


def change(tree, path, new):
    "A copy of the tree with `new` at `path`"
    tree = copy.deepcopy(tree)
    node = tree
    for field, i in path[:-1]: node = getattr(node, field) if i is None else getattr(node, field)[i]
    field, i = path[-1]
    old = getattr(node, field) if i is None else getattr(node, field)[i]
    new = copy.deepcopy(new)
    ast.copy_location(new, old)
    for n in ast.walk(new):
        if 'lineno' in n._attributes and not hasattr(n, 'lineno'): ast.copy_location(n, old)
    if i is None: setattr(node, field, new)
    else: getattr(node, field)[i] = new
    return tree


def mutants(root, module):
    "Every change of a module: dictionaries of what the list of results says of it"
    path = N.modules(root)[module]
    text = path.read_text(encoding='utf-8')
    tree, out = ast.parse(text), []
    lines = text.splitlines()
    for where, node, statement, function, default in places(tree):
        for kind, new in changes(node):
            before, after = ast.unparse(node), ast.unparse(new)
            kind = 'default' if default else kind
            if isinstance(node, ast.If): before, after = ast.unparse(node.test), f'not ({ast.unparse(node.test)})'
            first, last = (statement.lineno, statement.lineno) if isinstance(node, (ast.If, ast.FunctionDef)) else (node.lineno, node.end_lineno)
            key = hashlib.sha256(json.dumps([module, lines[first - 1].strip(), kind, before, after, where[-1], node.col_offset]).encode()).hexdigest()[:10]
            out.append(dict(key=key, module=module, line=first, last=last, statement=statement.lineno, kind=kind, before=before[:100], after=after[:100], at=where,
                            function=function.name if function else ''))
    return out


def drawn(root, modules, n, seed):
    "n changes, as many from each module as there are; a line's third only when no other is left"
    rng, left = random.Random(seed), {}
    for m in modules:
        found, seen = list({x['key']: x for x in mutants(root, m)}.values()), {}
        rng.shuffle(found)
        for x in found: x['nth'] = seen[x['line']] = seen.get(x['line'], 0) + 1
        left[m] = sorted(found, key=lambda x: x['nth'] > 2)
    out = [x for row in zip_longest(*left.values()) for x in row if x]
    return out[:n]


# ---------------------------------------------------------------------------------------------------------------- putting a change into a running package
def codes(code, found=None):
    "(qualified name, first line, how many such before) -> code, of a compiled module"
    found = {} if found is None else found
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            i = 0
            while (k := (c.co_qualname, c.co_firstlineno, i)) in found: i += 1
            found[k] = c
            codes(c, found)
    return found


def put(root, mutant, namespaces=()):
    "Put a change into the imported module, also where others hold its functions; the names of what was changed"
    lib = N.settings(root)['lib_name']
    module, path = importlib.import_module(f"{lib}.{mutant['module']}"), N.modules(root)[mutant['module']]
    tree = ast.parse(path.read_text(encoding='utf-8'))
    node = tree
    for field, i in mutant['at']: node = getattr(node, field) if i is None else getattr(node, field)[i]
    new = next(n for kind, n in changes(node) if (kind == mutant['kind'] or mutant['kind'] == 'default') and (
        isinstance(node, ast.If) or ast.unparse(n)[:100] == mutant['after']))
    broken = change(tree, mutant['at'], new)
    old, now = (codes(compile(t, str(path), 'exec')) for t in (tree, broken))
    done = []
    live = [f for f in gc.get_objects() if isinstance(f, types.FunctionType) and f.__code__.co_filename == str(path)]
    for k, c in old.items():
        if k not in now: raise ValueError('the functions inside changed')
        if c == now[k] and c.co_consts == now[k].co_consts: continue
        same = [f for f in live if (f.__code__.co_qualname, f.__code__.co_firstlineno) == k[:2] and f.__code__.co_code == c.co_code and f.__code__.co_consts == c.co_consts]
        for f in same:
            f.__code__ = now[k]
            done.append(k[0])
    if mutant['kind'] == 'default': done += put_default(tree, broken, live)
    top = [field for field, _ in mutant['at']]
    if not done and not any(f in ('args',) for f in top): done += put_value(module, broken, mutant, namespaces)
    return done


def put_default(tree, broken, live):
    "Give live functions the changed defaults"
    done = []
    for a, b in zip(ast.walk(tree), ast.walk(broken)):
        if not isinstance(a, (ast.FunctionDef, ast.Lambda)) or ast.dump(a.args) == ast.dump(b.args): continue
        name, first = getattr(a, 'name', '<lambda>'), min([a.lineno, *(d.lineno for d in getattr(a, 'decorator_list', []))])
        for f in live:
            if (f.__code__.co_name, f.__code__.co_firstlineno) != (name, first): continue
            value = lambda n: eval(compile(ast.Expression(n), '<default>', 'eval'), f.__globals__)
            if b.args.defaults: f.__defaults__ = tuple(o if ast.dump(x) == ast.dump(y) else value(y) for o, x, y in zip(f.__defaults__, a.args.defaults, b.args.defaults))
            names = [x.arg for x in b.args.kwonlyargs]
            for n, x, y in zip(names, a.args.kw_defaults, b.args.kw_defaults):
                if y is not None and ast.dump(x) != ast.dump(y): f.__kwdefaults__[n] = value(y)
            done.append(f.__qualname__)
    return done


def put_value(module, broken, mutant, namespaces):
    "A changed constant of the module or of a class, wherever it is held"
    owner, statement, where = module, broken, module
    for field, i in mutant['at']:
        statement = getattr(statement, field) if i is None else getattr(statement, field)[i]
        if isinstance(statement, ast.ClassDef): owner = getattr(owner, statement.name)
        elif isinstance(statement, ast.stmt): break
    if not isinstance(statement, ast.Assign): raise ValueError('no value to put in')
    new = eval(compile(ast.Expression(statement.value), '<value>', 'eval'), vars(module) | {})
    done = []
    for target in statement.targets:
        if not isinstance(target, ast.Name): raise ValueError('several values at once')
        held = getattr(owner, target.id)
        if isinstance(held, dict) and isinstance(new, dict):
            held.clear()
            held.update(new)
        else:
            setattr(owner, target.id, new)
            for space in [*(vars(m) for n, m in list(sys.modules.items()) if n.startswith(module.__name__.partition('.')[0] + '.')), *namespaces]:
                for k, v in list(space.items()):
                    if v is held and k == target.id: space[k] = new
        done.append(target.id)
    return done


# ---------------------------------------------------------------------------------------------------------------- running notebooks
def opened(root, path):
    "(shell, [(number, source)]) of a notebook's exported pass, before its first cell"
    sys.path.insert(0, str(root))
    os.chdir(path.parent)
    nb, sh = N.read(path), nbrun.shell()
    exp = N.default_exp(nb)
    if exp:
        module = importlib.import_module(f"{N.settings(root)['lib_name']}.{exp}")
        sh.user_ns.update({k: v for k, v in vars(module).items() if not (k.startswith('__') and k.endswith('__'))})
    return sh, [(i, c['source']) for i, d, _, c in N.code(nb) if not (exp and N.EXPORT & d.keys())]


def cell(sh, source):
    "What went wrong in a cell, or None"
    sh.failed = None
    sh.run(source)
    return sh.failed or sh.exc


def cover(root, path, out):
    "Trace a notebook: module -> line -> the first cell that reaches it; and each cell's seconds"
    lib = str(root/N.settings(root)['lib_name']) + os.sep
    names, first, now = {}, {}, [0]
    def local(frame, event, arg):
        if event == 'line': first.setdefault(names[frame.f_code.co_filename], {}).setdefault(frame.f_lineno, now[0])
        return local
    def enter(frame, event, arg):
        name = frame.f_code.co_filename
        if name not in names: names[name] = Path(name).stem if name.startswith(lib) else None
        if names[name] is None: return None
        first.setdefault(names[name], {}).setdefault(frame.f_code.co_firstlineno, now[0])
        return local
    import threading
    sh, cells = opened(root, path)
    took = []
    for k, (i, source) in enumerate(cells):
        now[0], t = k, time.monotonic()
        threading.settrace(enter)
        sys.settrace(enter)
        wrong = cell(sh, source)
        sys.settrace(None)
        threading.settrace(None)
        took.append(time.monotonic() - t)
        if wrong: took[-1] = took[-1], f'cell {i}: {wrong!r:.200}'
    Path(out).write_text(json.dumps(dict(lines=first, seconds=[t[0] if isinstance(t, tuple) else t for t in took], wrong=[t[1] for t in took if isinstance(t, tuple)])), encoding='utf-8')


class Scratch:
    "A temporary folder that is put back as it was after each copy of the process"
    def __init__(self, root): self.root, self.kept = Path(root), Path(str(root) + '.kept')
    def keep(self):
        shutil.rmtree(self.kept, ignore_errors=True)
        subprocess.run(['cp', '-a', str(self.root), str(self.kept)], check=True)
    def back(self):
        for p in self.root.iterdir(): shutil.rmtree(p, ignore_errors=True) if p.is_dir() and not p.is_symlink() else p.unlink(missing_ok=True)
        subprocess.run(['cp', '-a', f'{self.kept}/.', str(self.root)], check=True)


def copied(root, sh, cells, k, mutant, limit, until=None):
    "Run cells k, ... in a copy of this process with a change in it: (what happened, the cell)"
    r, w = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.close(r)
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2): os.dup2(null, fd)
            said = ['survived', '']
            try:
                if mutant and not put(root, mutant, [sh.user_ns]): said = ['not put in', '']
            except Exception as e: said = ['not put in', repr(e)[:200]]
            if said[0] == 'survived':
                for n, (i, source) in enumerate(cells[k:until], k):
                    if wrong := cell(sh, source):
                        said = ['killed', f'cell {i}: {wrong!r:.150}', n]
                        break
            os.write(w, json.dumps(said).encode())
        finally: os._exit(0)
    os.close(w)
    end, got = time.monotonic() + limit, b''
    os.set_blocking(r, False)
    while time.monotonic() < end:
        try: new = os.read(r, 4096)
        except BlockingIOError: time.sleep(.02); continue
        if not new: break
        got += new
    late = time.monotonic() >= end
    try: os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError): pass
    os.waitpid(pid, 0)
    os.close(r)
    if got: return json.loads(got)
    return ['killed', f'{LATE} {limit:.0f} s' if late else 'the process died', len(cells)]


def trunk(root, path, job):
    "Run a notebook once, with copies for the mutants of the job; a line of JSON a mutant to its `out`"
    job = json.loads(Path(job).read_text(encoding='utf-8'))
    scratch = Scratch(tempfile.gettempdir())
    sh, cells = opened(root, path)
    at = {}
    for m in job['mutants']: at.setdefault(m['cell'], []).append(m)
    def say(m, what, why, last=None):
        with open(job['out'], 'a', encoding='utf-8') as f: f.write(json.dumps(dict(key=m['key'], what=what, why=why, notebook=job['name'], state=job['state'])) + '\n')
    for k, (i, source) in enumerate(cells):
        if k in at:
            scratch.keep()
            rest, deaths = sum(job['seconds'][k:]), []
            for m in at[k]:
                said = copied(root, sh, cells, k, m, 15 + 3*rest)
                scratch.back()
                if said[0] == 'killed': deaths.append((said[2], m, said))
                else: say(m, said[0], said[1])
            if deaths:       # the same cells without a change: they must pass in a copy, or the copy is to blame
                until, start = min(max(n for n, *_ in deaths) + 1, len(cells)), time.monotonic()
                null = copied(root, sh, cells, k, None, 30 + 3*rest, until)
                usual = max(rest, time.monotonic() - start)
                scratch.back()
                for n, m, said in deaths:
                    if said[1].startswith(LATE):                # or was the machine busy? Once more, by the time that it takes now
                        said = copied(root, sh, cells, k, m, 15 + 3*usual)
                        scratch.back()
                    fair = said[0] != 'killed' or null[0] == 'survived' or null[0] == 'killed' and null[2] > n
                    say(m, *(said[:2] if fair else ('unclear', f'unchanged, too: {null[1]}')))
        if k >= max(at): break
        if wrong := cell(sh, source): sys.exit(f'{path.name} fails without any change, cell {i}: {wrong!r:.300}')


# ---------------------------------------------------------------------------------------------------------------- the command
def methods(root):
    "The modules that hold methods: those of the notebooks with the numbers in CHAPTERS"
    return [name for name, path in N.modules(root).items() if N.floor(path)[0] in CHAPTERS and name != 'bench_rows']


def books(root, module):
    "The notebooks that test a module: its own, its companion, the others of its chapter (with the same number), then the published values"
    paths = N.notebooks(root)
    own = [p for p in paths if N.default_exp(N.read(p)) == module]
    names, numbers = {p.name for p in own}, {p.name.partition('_')[0] for p in own}
    chapter = [p for p in paths if p.name in names] + [p for p in paths if p.name.partition('_')[0] in numbers]
    return list(dict.fromkeys(own + chapter + [p for p in paths if p.stem.endswith('_papers')]))


def state(root, path):
    "A hash of a notebook and of the package"
    h = hashlib.sha256(path.read_bytes())
    for p in sorted((root/N.settings(root)['lib_name']).rglob('*.py')): h.update(p.read_bytes())
    return h.hexdigest()[:16]


def environment(root, tmp):
    "One thread, this tree, a temporary folder and a cache of its own, no user's data"
    import test
    tmp.mkdir(parents=True, exist_ok=True)
    return test.environment(root) | dict(TMPDIR=str(tmp), VIDGAN_CACHE=str(tmp/'cache'), IN_TEST='1')


def child(root, *args, tmp):
    "Run this file in another process; what it printed if it failed"
    shutil.rmtree(tmp, ignore_errors=True)
    done = subprocess.run([sys.executable, str(here/'mutate.py'), *map(str, args), '--root', str(root)], capture_output=True, encoding='utf-8', env=environment(root, tmp))
    for p in (tmp, Path(f'{tmp}.kept')): shutil.rmtree(p, ignore_errors=True)
    return '' if done.returncode == 0 else (done.stdout + done.stderr)[-2000:]


def reasons(root):
    "key -> why a surviving mutant is no gap, from tools/mutants.txt"
    path = root/'tools'/'mutants.txt'
    rows = [r.split(None, 1) for r in path.read_text(encoding='utf-8').splitlines() if r.strip() and not r.startswith('#')] if path.is_file() else []
    return {r[0]: r[1].rpartition(' :: ')[2] for r in rows}


def main(a):
    root, work = Path(a.root).resolve(), Path(a.work).expanduser()/'mutants'
    work.mkdir(parents=True, exist_ok=True)
    modules = a.modules or methods(root)
    picked = drawn(root, modules, a.sample, a.seed)
    if a.list:
        for m in picked: print(f"{m['key']}  {m['module']}.py:{m['line']}  {m['kind']}: {m['before']}  ->  {m['after']}")
        return 0
    need = {p: work/f'{p.parent.name}-{p.stem}-{state(root, p)}.json' for m in modules for p in books(root, m)}
    pool = ThreadPoolExecutor(a.jobs)
    def covered(p):
        wrong = '' if need[p].is_file() else child(root, '--cover', p, need[p], tmp=work/f'tmp-{p.parent.name}-{p.stem}')
        if wrong: sys.exit(f'{p}: {wrong}')
        return p, json.loads(need[p].read_text(encoding='utf-8'))
    lines = dict(pool.map(covered, need))
    for p, c in lines.items():
        for w in c['wrong']: print(f'{N.name(root, p)} {w} (while traced; cells before it count)')
    out = Path(a.out) if a.out else work/'results.jsonl'
    if a.anew: out.unlink(missing_ok=True)
    current = {N.name(root, p): need[p].stem for p in need}
    said = {}
    def read():
        for line in out.read_text(encoding='utf-8').splitlines() if out.is_file() else []:
            r = json.loads(line)
            if r['what'] != 'killed' and current.get(r['notebook']) != r['state']: continue       # the notebook or the package changed: ask again
            said.setdefault(r['key'], {})[r['notebook']] = r
    def route(m):
        "(notebook, first cell) that reach a mutant, in order"
        for p in books(root, m['module']):
            seen = lines[p]['lines'].get(m['module'], {})
            cells = [seen[str(n)] for n in range(m['line'], m['last'] + 1) if str(n) in seen]
            default = m['kind'] == 'default' or not m['function']            # may be read anywhere, by inspection too
            if default or cells: yield p, 0 if default else min(cells)
    def open_(m):
        "The next notebook for a mutant, or None"
        got = said.get(m['key'], {})
        if any(r['what'] in ('killed', 'not put in') for r in got.values()): return None
        return next(((p, k) for p, k in route(m) if N.name(root, p) not in got), None)
    print(f'{len(picked)} mutants; results in {out}', flush=True)
    while True:
        read()
        jobs = {}
        for m in picked:
            if nxt := open_(m): jobs.setdefault(nxt[0], []).append(m | dict(cell=nxt[1]))
        if not jobs: break
        parts = [(p, ms[i:i + 24], i) for p, ms in jobs.items() for i in range(0, len(ms), 24)]
        def run(part):
            p, ms, i = part
            job = work/f'job-{p.parent.name}-{p.stem}-{i}.json'
            job.write_text(json.dumps(dict(name=N.name(root, p), out=str(out), state=need[p].stem, seconds=lines[p]['seconds'], mutants=ms)), encoding='utf-8')
            t, wrong = time.monotonic(), child(root, '--trunk', p, job, tmp=work/f'tmp-{p.parent.name}-{p.stem}-{i}')
            print(f'{N.name(root, p)}: {len(ms)} mutants, {time.monotonic() - t:.0f} s', wrong, flush=True)
            if wrong: raise SystemExit(1)
        list(pool.map(run, sorted(parts, key=lambda q: -len(q[1])*sum(lines[q[0]]['seconds']))))
    why, killed, invalid, alive, missed, told = reasons(root), 0, 0, [], [], 0
    for m in picked:
        got = said.get(m['key'], {}).values()
        if any(r['what'] == 'killed' for r in got): killed += 1
        elif any(r['what'] == 'not put in' for r in got): invalid += 1
        elif got and any(r['what'] in ('survived', 'unclear') for r in got): alive.append(m)
        else: missed.append(m)
    for name, ms in (('survived', alive), ('not reached', missed)):
        for m in ms:
            reason = why.get(m['key'])
            told += bool(reason) and name == 'survived'
            print(f"{name}  {m['key']}  {m['module']}.py:{m['line']}  {m['kind']}: {m['before']}  ->  {m['after']}" + (f'   [{reason}]' if reason else ''))
    if invalid: print(f'{invalid} could not be put into a running package and do not count')
    print(f'{killed} of {len(picked) - invalid} killed, {len(alive)} survived ({told} with a reason), {len(missed)} not reached')
    return 0


if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--sample', type=int, default=300)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--modules', nargs='+')
    p.add_argument('--jobs', type=int, default=os.cpu_count() or 1)
    p.add_argument('--list', action='store_true')
    p.add_argument('--out')
    p.add_argument('--anew', action='store_true')
    p.add_argument('--work', default=os.environ.get('XDG_CACHE_HOME', '~/.cache') + '/vidgan_nb')
    p.add_argument('--root', default=here.parent)
    p.add_argument('--cover', nargs=2)
    p.add_argument('--trunk', nargs=2)
    a = p.parse_args()
    root = Path(a.root).resolve()
    if a.cover: sys.exit(cover(root, Path(a.cover[0]), a.cover[1]))
    if a.trunk: sys.exit(trunk(root, Path(a.trunk[0]), a.trunk[1]))
    sys.exit(main(a))
