"""README.md from nbs/index.ipynb, by nbconvert (the same on every machine; nbdev_readme would need Quarto).

Pictures among the outputs become files nbs/images/readme-N.png; links of the notebook, which start in nbs/, are made to start at the top.
"""
import base64, re, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).parent))
import nb as N

LINK = re.compile(r'(\]\(|src=")(?![a-z]+:|#|/|nbs/)')           # a relative link, in text or in a table that a cell drew
PICTURES = {'image/png': 'png', 'image/jpeg': 'jpg', 'image/svg+xml': 'svg'}


def make(root):
    "The text of README.md, and {path: bytes} of its pictures"
    import nbformat
    from nbconvert import MarkdownExporter
    nb, pics = nbformat.read(Path(root)/'nbs'/'index.ipynb', as_version=4), {}
    nb.metadata.language_info = dict(name='python')             # nbdev_clean drops it

    def output(o, alt):
        "One output as a README can show it, or None: GitHub shows no scripts"
        data = o.get('data', {})
        for mime, ext in PICTURES.items():
            if mime in data:
                path = f'nbs/images/readme-{len(pics) + 1}.{ext}'
                pics[path] = data[mime].encode() if ext == 'svg' else base64.b64decode(data[mime])
                return nbformat.v4.new_output('display_data', {'text/markdown': f'![{alt}]({path})'})
        if 'text/markdown' in data: data['text/markdown'] = LINK.sub(r'\1nbs/', data['text/markdown'])
        if o['output_type'] == 'stream' or 'text/markdown' in data: return o
        return None if 'text/html' in data else o

    cells = []
    for c in nb.cells:
        if c.cell_type == 'markdown':
            c.source = LINK.sub(r'\1nbs/', c.source)
        if c.cell_type == 'code':
            d, c.source = N.directives(c.source)
            if {'hide', 'export', 'exporti', 'default_exp'} & d.keys() or d.get('include') == 'false': continue
            c.outputs = [] if d.get('output') == 'false' else [o for o in (output(o, d.get('fig-alt', '').strip('"')) for o in c.outputs) if o]
            if d.get('echo') == 'false': c.source = ''
        cells.append(c)
    nb.cells = cells
    exporter = MarkdownExporter()
    exporter.register_preprocessor('nbconvert.preprocessors.ExtractOutputPreprocessor', enabled=False)
    text = exporter.from_notebook_node(nb)[0]
    text = re.sub(r'```python\s*```\n', '', text)
    text = re.sub(r'\n{3,}', '\n\n', '\n'.join(l.rstrip() for l in text.splitlines())).strip()
    return f'<!-- Made from nbs/index.ipynb by tools/readme.py: edit the notebook. -->\n\n{text}\n', pics


def stale(root):
    "What in README.md and its pictures does not fit the notebook"
    text, pics = make(root)
    have = {p.relative_to(root).as_posix(): p.read_bytes() for p in (Path(root)/'nbs'/'images').glob('readme-*')}
    old = Path(root)/'README.md'
    out = [] if old.exists() and old.read_text(encoding='utf-8') == text else ['README.md']
    return out + sorted(k for k in have.keys() | pics.keys() if have.get(k) != pics.get(k))


def write(root):
    "Write README.md and its pictures, and drop pictures that are no longer shown"
    text, pics = make(root)
    for p in (Path(root)/'nbs'/'images').glob('readme-*'): p.unlink()
    for k, v in pics.items():
        (Path(root)/k).parent.mkdir(exist_ok=True)
        (Path(root)/k).write_bytes(v)
    (Path(root)/'README.md').write_text(text, encoding='utf-8', newline='\n')


if __name__ == '__main__': write(Path(__file__).resolve().parent.parent)
