"""Which assertions of an older commit are nowhere now: nothing that was tested is lost when pages are rewritten.

Usage: python tools/asserts.py COMMIT. Compared are assert statements and calls of test_*: exactly, then by their words, so that a renamed
variable or a moved cell does not count. tools/asserts.txt lists those that went on purpose: a line `NOTEBOOK: a part of it  # why`."""
import ast, collections, json, re, subprocess, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import nb as N

ROOT, NEAR = Path(__file__).parents[1], .6

def git(*words): return subprocess.run(['git', *words], cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout

def statements(code):
    "The assertions in a cell, as text in one form"
    try: tree = ast.parse(re.sub(r'^[%!].*$', '', code, flags=re.M))
    except SyntaxError: return []
    def is_test(n):
        f = n.value.func if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) else None
        return isinstance(n, ast.Assert) or isinstance(f, ast.Name) and f.id.startswith('test_')
    return [ast.unparse(n) for n in ast.walk(tree) if is_test(n)]

def words(statement):
    "What survives a renamed variable: constants, attributes, functions, operators"
    return collections.Counter(re.findall(r"'[^']*'|[A-Za-z_]\w*|\d[\d.e-]*|[<>=!]=?|[-+*/]", statement))

def of_commit(commit):
    "(notebook, assertion) of every notebook at that commit"
    for path in git('ls-tree', '-r', '--name-only', commit, 'nbs').splitlines():
        if not path.endswith('.ipynb'): continue
        for c in json.loads(git('show', f'{commit}:{path}'))['cells']:
            if c['cell_type'] == 'code': yield from ((Path(path).stem, s) for s in statements(''.join(c['source'])))

def of_today():
    for path in N.notebooks(ROOT):
        for c in N.read(path)['cells']:
            if c['cell_type'] == 'code': yield from statements(c['source'])

def nearness(a, b):
    "Share of common words, 0 to 1"
    return 2*sum((a & b).values())/max(1, sum(a.values()) + sum(b.values()))

def excused():
    "(notebook, part) of assertions that went on purpose"
    path = ROOT/'tools/asserts.txt'
    lines = path.read_text(encoding='utf-8').splitlines() if path.is_file() else []
    for line in (l for l in lines if l.strip() and not l.startswith('#')):
        part, _, why = line.partition('  # ')
        if not why: raise SystemExit(f'tools/asserts.txt: no reason in {line!r}')
        yield tuple(part.split(': ', 1))

def lost(commit):
    "(notebook, assertion, nearest today) that have nothing like them today, and are not excused"
    today = list(of_today())
    exact, bags, known = set(today), [words(s) for s in today], list(excused())
    for notebook, s in of_commit(commit):
        if s in exact or any(notebook == n and part in s for n, part in known): continue
        mine = words(s)
        best = max(range(len(bags)), key=lambda i: nearness(mine, bags[i]))
        if nearness(mine, bags[best]) < NEAR: yield notebook, s, today[best]

def main(commit):
    found = list(lost(commit))
    for notebook, s, nearest in found: print(f'{notebook}: {s[:200]}\n    nearest today: {nearest[:160]}')
    print(f'{len(found)} of {len(list(of_commit(commit)))} assertions of {commit} are nowhere now')
    return int(bool(found))

if __name__ == '__main__': sys.exit(main(sys.argv[1]))
