"""What a page asks of its reader, a row a page: cells, longest code cell, share of cells that assert, words, open solutions.

Usage: python tools/pagecheck.py [PAGE ...]. Chapters and how-to pages are held to the limits below; exit status 1 if one is over."""
import re, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import colab
import nb as N

ROOT = Path(__file__).parents[1]
CHAPTERS = '10_wgan', '11_vdb', '12_dgflow', '13_others', '14_stylegan', '20_vid', '21_vidgan', '22_ssl', '23_squeeze', '24_distill'
CELLS, WORDS, LINES, SHARE = (45, 75), (1800, 3500), 30, 1/3
HOWTO = 20      # cells of a how-to page that its reader sees

def text(cell): return cell['source']

def words(cells):
    "Words of the prose: without formulas, code, addresses and tags"
    prose = '\n'.join(text(c) for c in cells if c['cell_type'] == 'markdown')
    prose = re.sub(r'\$\$.*?\$\$|\$[^$\n]*\$|`[^`\n]*`|<[^>]*>|\]\([^)]*\)', ' ', prose, flags=re.S)
    return len(re.findall(r'\w[\w’\'-]*', prose))

def asserts(cell): return bool(re.search(r'^\s*(assert\b|test_\w+\()', text(cell), re.M))

def open_solutions(cells):
    "Cells below the heading of the exercises that hold a solution and are not folded"
    at = next((i for i, c in enumerate(cells) if re.search(r'^## .*Exercises', text(c), re.M)), len(cells))
    def is_open(c): return re.search(r'\bsolution', text(c), re.I) and '#| code-fold: true' not in text(c)
    code = sum(bool(is_open(c)) for c in cells[at:] if c['cell_type'] == 'code')
    prose = '\n'.join(re.sub(r'<details>.*?</details>', '', text(c), flags=re.S) for c in cells[at:] if c['cell_type'] == 'markdown')
    return code + len(re.findall(r'\*\*(?:A s|S)olution\b', prose))

def row(path):
    "Name, cells, longest code cell, share of code cells that assert, words, open solutions, what is over"
    cells = [c for c in N.read(path)['cells'] if c['id'] != colab.ID]
    code = [c for c in cells if c['cell_type'] == 'code']
    longest = max((N.directives(text(c))[1].strip('\n').count('\n') + 1 for c in code), default=0)
    share = sum(map(asserts, code))/max(1, len(code))
    found = dict(cells=len(cells), longest=longest, asserting=share, words=words(cells), open=open_solutions(cells))
    over = []
    if path.stem in CHAPTERS and path.parent.name == 'nbs':
        over += [k for k, (low, high) in dict(cells=CELLS, words=WORDS).items() if not low <= found[k] <= high]
        over += ['asserting']*(share > SHARE) + ['open']*(found['open'] > 0)
    seen = [c for c in cells if 'hide' not in N.directives(text(c))[0]]
    if path.parent.name == 'howto' and len(seen) > HOWTO: over += [f'{len(seen)} cells that are seen']
    return path, found, over + ['longest']*(longest > LINES)

def main(pages):
    rows = [row(p) for p in N.notebooks(ROOT) if not pages or p.stem in pages]
    print(f'{"page":32}{"cells":>6}{"longest":>9}{"asserting":>11}{"words":>7}{"open":>6}  over')
    for path, f, over in rows:
        print(f'{N.name(ROOT, path):32}{f["cells"]:6}{f["longest"]:9}{f["asserting"]:10.0%} {f["words"]:7,}{f["open"]:6}  '
              + ', '.join(over))
    bad = sum(bool(over) for *_, over in rows)
    print(f'{bad} over')
    return int(bad > 0)

if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
