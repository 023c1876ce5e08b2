"""What the tools share about notebooks: reading them, their directives, copies of the project, and the files of the repository."""
import ast, json, os, re, shutil, subprocess, tempfile
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path

EXPORT = {'export', 'exports', 'exporti'}


def settings(root):
    "The section of settings.ini, as a mapping"
    p = ConfigParser(delimiters=['='])
    p.read(Path(root)/'settings.ini', encoding='utf-8')
    return p['DEFAULT']


def notebooks(root):
    "Every notebook: first those of nbs/ in the order of their numbers and names, then those of its folders"
    found = [p for p in (Path(root)/'nbs').rglob('*.ipynb') if not p.parent.name.startswith('.')]
    return sorted(found, key=lambda p: (len(p.parts), p.as_posix()))


def name(root, path):
    "A notebook's path in nbs/: 10_wgan.ipynb, checks/10_wgan.ipynb"
    return Path(path).relative_to(Path(root)/'nbs').as_posix()


def read(path):
    "A notebook as a dictionary; the source of each cell is one string"
    nb = json.loads(Path(path).read_text(encoding='utf-8'))
    for c in nb['cells']: c['source'] = ''.join(c['source'])
    return nb


def directives(src):
    "The leading `#|` lines of a cell as {name: rest}, and the code below them"
    lines, found = src.splitlines(), {}
    while lines and (not lines[0].strip() or re.match(r'\s*#\s*\|', lines[0])):
        m = re.match(r'\s*#\s*\|\s*([\w-]+)\s*:?\s*(.*)', lines.pop(0))
        if m: found[m[1]] = m[2].strip()
    return found, '\n'.join(lines)


def code(nb):
    "(number, directives, code below them, cell) of each code cell that is not empty"
    return [(i, *directives(c['source']), c) for i, c in enumerate(nb['cells'])
            if c['cell_type'] == 'code' and c['source'].strip()]


def default_exp(nb):
    "The module a notebook is exported to, or None"
    return next((d['default_exp'] for _, d, _, _ in code(nb) if 'default_exp' in d), None)


def text(x):
    "A notebook's multi-line string, whichever way it is stored"
    return x if isinstance(x, str) else ''.join(x)


def floor(path):
    "(number, name) of the notebook in nbs/ that an exported module comes from; an infinite number where it comes from none"
    m = re.search(r'^# %% \.\./nbs/((\d+)_\w+)\.ipynb', Path(path).read_text(encoding='utf-8'), re.M)
    return (int(m[2]), m[1]) if m else (float('inf'), '')


def modules(root):
    "{name: path} of the exported modules, __main__ too, lowest floor first"
    found = [p for p in (Path(root)/settings(root)['lib_name']).glob('*.py') if not p.stem.startswith('_') or p.stem == '__main__']
    return {p.stem: p for p in sorted(found, key=lambda p: (floor(p), p.stem))}


def files(root):
    "All files of the repository: what git knows and what it does not ignore"
    git = subprocess.run(['git', 'ls-files', '-coz', '--exclude-standard'], cwd=root, capture_output=True, encoding='utf-8')
    skip = {'.git', '.venv', '_proc', '_docs', 'build', 'dist', '__pycache__', '.ipynb_checkpoints'}
    names = (git.stdout.split('\0') if git.returncode == 0 else
             [str(p.relative_to(root)) for p in Path(root).rglob('*') if not skip & set(p.relative_to(root).parts)])
    return [Path(root)/n for n in names if n and (Path(root)/n).is_file() and not (Path(root)/n).is_symlink()]


def patched(node):
    "The name of the class that `@patch` adds a function to; None for any other statement"
    if not isinstance(node, ast.FunctionDef) or not node.args.args: return None
    decorators = [ast.unparse(getattr(d, 'func', d)).rpartition('.')[2] for d in node.decorator_list]
    cls = node.args.args[0].annotation
    return ast.unparse(cls).rpartition('.')[2] if cls and 'patch' in decorators else None


@contextmanager
def copy(root):
    "A temporary copy of what nbdev reads and writes, as the working directory"
    from nbdev.config import get_config
    with tempfile.TemporaryDirectory() as tmp:
        tmp, root, here = Path(tmp).resolve()/'copy', Path(root), os.getcwd()
        tmp.mkdir()
        lib = settings(root)['lib_name']
        for d in ('nbs', lib): shutil.copytree(root/d, tmp/d, symlinks=True, ignore=shutil.ignore_patterns('__pycache__', '.*'))
        for f in ('settings.ini', '_quarto.yml'): shutil.copy2(root/f, tmp/f)
        os.environ.pop('IN_TEST', None)          # nbdev_export silently does nothing where it is set
        os.chdir(tmp)
        get_config.cache_clear()
        try: yield tmp
        finally:
            os.chdir(here)
            get_config.cache_clear()
