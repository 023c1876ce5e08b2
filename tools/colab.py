"""Each chapter begins with a cell that installs the library in Colab and does nothing elsewhere: `python tools/colab.py` puts it there, or brings it up to date.

The cell holds the repository's address, so it is made from settings.ini; a test fails where it is missing or differs. The site links to Colab only pages that have it.
"""
import json, re, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import nb as N

ID = 'colab-install'
PAGES = re.compile(r'(?:index|[123]\d_\w+|howto/\w+)\.ipynb$')


def source(root):
    "The cell, as a string"
    cfg = N.settings(root)
    return ("#| include: false\nif 'google.colab' in str(get_ipython()):\n"
            f"""    get_ipython().system('pip install -q "{cfg['lib_name']} @ git+{cfg['git_url']}"')""")


def pages(root):
    "The notebooks that must have the cell"
    return [p for p in N.notebooks(root) if PAGES.match(N.name(root, p)) and any('import' in c['source'] for c in N.read(p)['cells'] if c['cell_type'] == 'code')]


def faults(root):
    "Notebooks without the cell, or with another text in it, or with imports above it"
    out, want = [], source(root)
    for p in pages(root):
        code = [c for _, d, _, c in N.code(N.read(p)) if 'default_exp' not in d]
        if not code or code[0]['id'] != ID or code[0]['source'] != want: out.append(f'nbs/{N.name(root, p)}: its first code cell is not the one that installs the library in Colab: run python tools/colab.py')
    return out


def write(root):
    "Put the cell into every notebook that must have it, below the title and the name of the module; the rest stays as it is"
    new = dict(cell_type='code', execution_count=None, id=ID, metadata={}, outputs=[], source=source(root).splitlines(True))
    for p in pages(root):
        nb = json.loads(p.read_text(encoding='utf-8'))
        cells = [c for c in nb['cells'] if c['id'] != ID]
        at = 1 + max((i for i, c in enumerate(cells[:3]) if c['cell_type'] == 'code' and '#| default_exp' in ''.join(c['source'])), default=0)
        nb['cells'] = [*cells[:at], new, *cells[at:]]
        p.write_text(json.dumps(nb, sort_keys=True, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')


if __name__ == '__main__': write(Path(__file__).resolve().parent.parent)
