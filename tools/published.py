"""Compare every recipe that calls itself published with what was published (vidgan_nb/papers.yaml), value by value.

    python tools/published.py              what is wrong, a line each; the last line is `N of N published values`
    python tools/published.py 'vid-*'      these recipes only; also the values, and where each is published
"""
import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from vidgan_nb.papers import compare, faults

names = sys.argv[1:]
found = [s for n in names or ['*'] for s in compare(n)]
for s in found if names else []: print(f'{s.name}  {s.key}  {s.ours}' + (f'  published {s.released}: {s.why}' if s.why else '') + f'  ({s.at})')
wrong = [] if names else faults()
for w in wrong: print(w)
apart = sum(bool(s.why) for s in found)
print(f'{sum(s.agrees for s in found)} of {len(found)} published values' + (f' ({apart} differ on purpose, with a reason)' if apart else ''))
sys.exit(bool(wrong) or not all(s.agrees for s in found) or not found)
