"""Compare every recipe that calls itself published with what was published (vidgan_nb/papers.yaml), value by value.

    python tools/published.py              what is wrong, a line each; the last line is `N of N published values`
    python tools/published.py 'vid-*'      these recipes only; also the values, and where each is published

Also wrong is a cell that holds two or more numbers of one published table: pages read them from the file.
"""
import re, sys
from pathlib import Path
here = Path(__file__).resolve().parent
sys.path[:0] = [str(here.parent), str(here)]
import nb as N


def typed(root, tables):
    "Where numbers of a published table are typed, a line each; tables: name -> Results"
    def numbers(t): return {f'{v:g}' if isinstance(v, float) else str(v) for row in t.rows.values() for v in (row.values() if isinstance(row, dict) else [row]) if isinstance(v, (int, float))}
    few = {name: {n for n in numbers(t) if '.' in n and len(n) >= 4} for name, t in tables.items()}
    wrong = []
    for p in N.notebooks(root):
        for i, c in enumerate(N.read(p)['cells']):
            said = set(re.findall(r'(?<![\w.])\d+\.\d+(?![\w.]*\d)', c['source']))
            wrong += [f'{N.name(root, p)} cell {i}: types {", ".join(sorted(said & ns))}, which papers.yaml has: results({name!r})' for name, ns in few.items() if len(said & ns) > 1]
    return wrong


def main(names):
    from vidgan_nb.papers import _entries, compare, faults, results
    found = [s for n in names or ['*'] for s in compare(n)]
    for s in found if names else []: print(f'{s.name}  {s.key}  {s.ours}' + (f'  published {s.released}: {s.why}' if s.why else '') + f'  ({s.at})')
    wrong = [] if names else faults() + typed(here.parent, {n: results(n) for n in _entries('results')})
    for w in wrong: print(w)
    apart = sum(bool(s.why) for s in found)
    print(f'{sum(s.agrees for s in found)} of {len(found)} published values' + (f' ({apart} differ on purpose, with a reason)' if apart else ''))
    return bool(wrong) or not all(s.agrees for s in found) or not found


if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
