"""Type stubs (vidgan_nb/*.pyi) of the package's public names, for type checkers and editors.

    python tools/stubs.py [FOLDER]    write them, into the package if no folder is given (git ignores them there)

Installing the package makes them; none is committed. A stub holds signatures, annotations and docstrings with the comments beside the parameters. Methods that a chapter adds
with `@patch` stand in their class, where a type checker, which runs nothing, would not find them otherwise.
"""
import ast, copy, io, sys, tokenize
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent))
import nb as N

DEFS = ast.FunctionDef, ast.AsyncFunctionDef
HEAD = '# Made by tools/stubs.py from {}.py. Do not edit.\n'


def comments(source):
    "Line -> comment"
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {t.start[0]: t.string.lstrip('# ').strip() for t in tokens if t.type == tokenize.COMMENT}


def parameters(f):
    "The arguments of a definition, in order"
    a = f.args
    return [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs, *([a.kwarg] if a.kwarg else [])]


def with_parameters(doc, f, said, returns=True):
    "A docstring, with the comments beside the parameters in NumPy's format"
    lines = [f'{p.arg} : {ast.unparse(p.annotation)}' if p.annotation else p.arg for p in parameters(f)]
    found = [f'{line}\n    {said[p.lineno]}' for line, p in zip(lines, parameters(f), strict=True) if p.lineno in said]
    out = [doc or '']
    if found: out.append('\n'.join(['Parameters', '----------', *found]))
    at = f.returns.lineno if f.returns else None
    if returns and at in said and at not in {p.lineno for p in parameters(f)}:
        out.append('\n'.join(['Returns', '-------', f'{ast.unparse(f.returns)}\n    {said[at]}']))
    return '\n\n'.join(out).strip()


def patched(f):
    "The class that a function is patched into, and whether it becomes a property; or None"
    if cls := N.patched(f): return cls, any(k.arg == 'as_prop' for d in f.decorator_list if isinstance(d, ast.Call) for k in d.keywords)


def signature(f, said, pad='', method=False, prop=False, doc=True):
    "A definition without its body"
    args = copy.deepcopy(f.args)
    if method and args.args: args.args[0].annotation = None
    for given in (args.defaults, args.kw_defaults):
        given[:] = [d if d is None or isinstance(d, (ast.Constant, ast.UnaryOp, ast.Name)) else ast.Constant(...) for d in given]
    marks = [ast.unparse(d) for d in f.decorator_list if ast.unparse(d).split('(')[0] in (
        'property', 'classmethod', 'staticmethod', 'contextmanager', 'contextlib.contextmanager')]
    if prop: marks.append('property')
    what = 'None' if f.name == '__init__' else ast.unparse(f.returns) if f.returns else 'Any'
    if 'contextmanager' in ' '.join(marks) and not f.returns: what = 'Iterator[Any]'
    text = with_parameters(ast.get_docstring(f), f, said) if doc else ''
    out = [f'{pad}@{m}' for m in marks] + [f'{pad}def {f.name}({ast.unparse(args)}) -> {what}:' + ('' if text else ' ...')]
    if text: out += quoted(text, pad + '    ')
    return out


def quoted(text, pad):
    "A docstring"
    lines = text.replace('\\', '\\\\').replace('"""', "'''").splitlines()
    if len(lines) == 1: return [f'{pad}"""{lines[0]}"""' if not lines[0].endswith('"') else f'{pad}"""{lines[0]} """']
    return [f'{pad}"""{lines[0]}', *((pad + line).rstrip() for line in lines[1:]), f'{pad}"""']


def fields(init):
    "The public attributes that a constructor sets"
    names = []
    for n in ast.walk(init):
        stored = isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
        if stored and getattr(n.value, 'id', '') == 'self': names.append(n.attr)
    return [k for k in dict.fromkeys(names) if not k.startswith('_')]


def of_class(c, own, said):
    "A class with its methods and those patched into it"
    out = [f'class {c.name}({", ".join(map(ast.unparse, c.bases))}):' if c.bases else f'class {c.name}:']
    for d in c.decorator_list: out.insert(0, f'@{ast.unparse(d)}')
    methods = [(n, False) for n in c.body if isinstance(n, DEFS)] + own
    init = next((f for f, _ in methods if f.name == '__init__'), None)
    doc = ast.get_docstring(c)
    if doc: out += quoted(with_parameters(doc, init, said, False) if init else doc, '    ')
    known = {f.name for f, _ in methods}
    for n in c.body:
        if isinstance(n, ast.AnnAssign):
            out.append('    ' + ast.unparse(n))
            known.add(ast.unparse(n.target))
        elif isinstance(n, ast.Assign):
            for t in n.targets:
                for k in (m.id for m in ast.walk(t) if isinstance(m, ast.Name) and m.id not in known):
                    known.add(k)
                    out.append(f'    {k}: Any')
    if init: out += [f'    {k}: Any' for k in fields(init) if k not in known]
    for f, prop in methods:
        if not f.name.startswith('_') or f.name.startswith('__'):
            out += signature(f, said, '    ', True, prop, f.name != '__init__')
    return out if len(out) > 1 else [out[0] + ' ...']


def used(lines):
    "All names in some lines"
    return {n.id for n in ast.walk(ast.parse('\n'.join(lines))) if isinstance(n, ast.Name)}


def stub(source, name):
    "The text of a module's stub"
    tree, said = ast.parse(source), comments(source)
    named = [n for n in tree.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') == '__all__']
    public = {e.value for n in named for e in n.value.elts}
    patches = {}
    for f in tree.body:
        if isinstance(f, DEFS) and (to := patched(f)): patches.setdefault(to[0], []).append((f, to[1]))
    items = {}
    for n in tree.body:
        if isinstance(n, DEFS) and not patched(n): items[n.name] = signature(n, said)
        elif isinstance(n, ast.ClassDef): items[n.name] = of_class(n, patches.get(n.name, []), said)
        elif isinstance(n, (ast.Assign, ast.AnnAssign)):
            for t in n.targets if isinstance(n, ast.Assign) else [n.target]:
                for k in (m.id for m in ast.walk(t) if isinstance(m, ast.Name) and isinstance(m.ctx, ast.Store)):
                    if not k.startswith('__'): items[k] = [f'{k}: Any']
    kept = {k for k in items if k in public or not k.startswith('_')}
    while more := {u for k in kept for u in used(items[k]) if u in items} - kept: kept |= more
    body = [line for k in items if k in kept for line in [*items[k], '']]
    wanted = used(body)
    imports = []
    for n in tree.body:
        if isinstance(n, (ast.Import, ast.ImportFrom)):
            names = [a for a in n.names if (a.asname or a.name).split('.')[0] in wanted]
            n.names = names
            if names: imports.append(ast.unparse(n))
    imports += ['from collections.abc import Iterator as Iterator', 'from typing import Any as Any']
    return HEAD.format(name) + '\n'.join([*imports, '', f'__all__ = {sorted(public)!r}', '', *body]).rstrip() + '\n'


def stubs(root):
    "{path: text} of every stub"
    found = {k: p for k, p in N.modules(root).items() if k != '__main__'}
    return {p.with_suffix('.pyi'): stub(p.read_text(encoding='utf-8'), k) for k, p in found.items()}


def write(root, folder):
    "Write the stubs, and the empty py.typed that makes type checkers read them, into a folder"
    for path, text in stubs(root).items(): (Path(folder)/path.name).write_text(text, encoding='utf-8')
    (Path(folder)/'py.typed').touch()


if __name__ == '__main__':
    root = Path(__file__).resolve().parent.parent
    write(root, sys.argv[1] if len(sys.argv) > 1 else root/N.settings(root)['lib_name'])
