"""What a wheel carries of runs/, and the test that builds one and uses it in an empty environment.

    python tools/release.py             build sdist and wheel, install the wheel, use it (a test: tools/test.py --one release)
    python tools/release.py FOLDER      leave both in a folder

Every record.json is in the wheel, and weights as far as there is room: those that the library itself reads, then the smallest of seed 0. Samples that were looked at and
all other weights are left out; runs/index.json has the SHA-256 and the size of every file, and `vidgan zoo fetch` brings what is not there.
"""
import hashlib, json, os, shutil, subprocess, sys, tempfile, venv, zipfile, zlib
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent))

MOST = 12e6                                             # bytes of a wheel
ROOM = 11e6                                             # what it is packed for: code and other files take the rest
ALWAYS = 'judge-glyphs', 'judge-mnist', 'wgan-glyphs'   # weights that the library itself reads: judges, the demo, the first page
OPTIONAL = 'frames.npz', 'weights.safetensors'


def packed_size(path):
    "Bytes that a file takes in a wheel"
    return len(zlib.compress(Path(path).read_bytes(), 6))


def chosen(runs):
    "The files of runs/ that a wheel carries, relative to it"
    runs = Path(runs)
    every = sorted(p for p in runs.rglob('*') if p.is_file())
    out = [p for p in every if p.name not in OPTIONAL]
    weights = [p for p in every if p.name == 'weights.safetensors' and (p.parent.name in ALWAYS or 'seed=' not in p.parent.name)]
    room = ROOM - sum(map(packed_size, out))
    for p in sorted(weights, key=lambda p: (p.parent.name not in ALWAYS, p.stat().st_size, p.as_posix())):
        size = packed_size(p)
        if size > room and p.parent.name not in ALWAYS: continue
        room -= size
        out.append(p)
    return [p.relative_to(runs) for p in out]


def index(runs):
    "SHA-256 and size of every file of every record"
    runs, found = Path(runs), {}
    for folder in sorted(p.parent for p in runs.glob('*/record.json')):
        files = sorted(p for p in folder.iterdir() if p.is_file())
        found[folder.name] = {p.name: [hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_size] for p in files}
    return dict(format=1, records=found)


def pack(runs, to):
    "Copy what a wheel carries, and write the index; a source distribution has all of runs/"
    to = Path(to)
    shutil.rmtree(to, ignore_errors=True)
    for name in chosen(runs):
        (to/name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(Path(runs)/name, to/name)
    (to/'index.json').write_text(json.dumps(index(runs)), encoding='utf-8')


def build(root, out):
    "The source distribution, and the wheel that is made from it"
    def left(): return {Path(root)/'build', *Path(root).glob('*.egg-info')}
    before = {p for p in left() if p.exists()}
    with tempfile.TemporaryDirectory() as tmp:
        words = [sys.executable, '-m', 'build', '--no-isolation', '--outdir', str(out), str(root)]
        env = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
        r = subprocess.run(words, cwd=tmp, env=env, capture_output=True, encoding='utf-8')
    for p in left() - before: shutil.rmtree(p, ignore_errors=True)
    if r.returncode: return None, None, [f'python -m build fails: {line}' for line in (r.stdout + r.stderr).strip().splitlines()[-5:]]
    return next(Path(out).glob('*.tar.gz')), next(Path(out).glob('*.whl')), []


def lacking(root, wheel):
    "What is wrong with a wheel: its size, recipes, records and checksums that are not in it"
    lib = 'vidgan_nb'
    with zipfile.ZipFile(wheel) as z:
        have = {n.removeprefix(f'{lib}/'): z.getinfo(n).file_size for n in z.namelist() if n.startswith(f'{lib}/')}
        known = json.loads(z.read(f'{lib}/runs/index.json'))['records'] if 'runs/index.json' in have else {}
    out, size = [], Path(wheel).stat().st_size
    if size > MOST: out.append(f'{wheel.name}: {size/1e6:.1f} MB, {MOST/1e6:.0f} is the limit')
    package = Path(root)/lib
    wanted = [p.relative_to(package).as_posix() for p in package.rglob('*') if p.suffix in ('.py', '.yaml', '.txt') and 'runs' not in p.parts[-3:-1]]
    wanted += [f'runs/{p.parent.name}/record.json' for p in (Path(root)/'runs').glob('*/record.json')]
    wanted += [f'runs/{n}/weights.safetensors' for n in ALWAYS if (Path(root)/'runs'/n).is_dir()]
    out += [f'{wheel.name}: lacks {n}' for n in sorted(wanted) if n not in have]
    for p in sorted((Path(root)/'runs').glob('*/record.json')):
        files = json.loads(p.read_text(encoding='utf-8'))['files']
        said = {k: v[0] for k, v in known.get(p.parent.name, {}).items() if k != 'record.json'}
        if said != files: out.append(f'{wheel.name}: index.json does not say what {p.parent.name} consists of')
    return out


USE = r'''
import contextlib, http.server, functools, io, os, sys, threading
from pathlib import Path
os.environ['VIDGAN_ZOO'] = 'nowhere'                        # no test asks a server elsewhere
import vidgan_nb
here = Path(vidgan_nb.__file__).parent
assert here.is_relative_to(sys.prefix), f'{here} is not in {sys.prefix}'
import torch
from vidgan_nb import zoo
from vidgan_nb.basics import BadInput
from vidgan_nb.cli import main
from vidgan_nb.generators import latents
from vidgan_nb.judges import find_judge
from vidgan_nb.recompute import runs_folder
from vidgan_nb.records import Run
from vidgan_nb.recipes import recipe_names
def vidgan(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err): code = main([*words])
    return code, out.getvalue(), err.getvalue()
assert runs_folder() == here/'runs' and len(recipe_names()) > 50
assert vidgan('--help')[:2][0] == 0
code, out, _ = vidgan('list')
assert code == 0 and 'wgan-glyphs' in out
code, out, err = vidgan('zoo')
assert code == 0 and 'wgan-cifar10@short' in out and 'not here: vidgan zoo fetch wgan-cifar10@short' in out, (code, err)
G, D = zoo.load('wgan-glyphs')
with torch.no_grad(): y = G(latents(G, 8, torch.Generator().manual_seed(0)))
assert tuple(y.shape) == (8, 1, 32, 32) and not G.training and 0 < y.std() < 2
code, _, err = vidgan('sample', 'wgan-glyphs', '--n', '8', '--out', 'digits.png')
assert code == 0 and Path('digits.png').stat().st_size > 1000, err
code, out, err = vidgan('zoo', 'card', 'wgan-glyphs')
assert code == 0 and '## Known limits' in out, err
code, _, err = vidgan('sample', 'wgan-cifar10@short', '--n', '8', '--out', 'colour.png')
assert code == 2 and 'vidgan zoo fetch wgan-cifar10@short' in err, (code, err)
assert 'FID (ResNet-56 judge)' in Run(here/'runs'/'wgan-cifar10@short').history, 'a history needs no samples'
Handler = type('Handler', (http.server.SimpleHTTPRequestHandler,), dict(log_message=lambda *a: None))
with http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Handler, directory=sys.argv[1])) as s:
    threading.Thread(target=s.serve_forever, daemon=True).start()
    code, _, err = vidgan('zoo', 'fetch', 'wgan-cifar10@short', '--address', f'http://127.0.0.1:{s.server_port}')
    assert code == 0, err
    s.shutdown()
code, _, err = vidgan('sample', 'wgan-cifar10@short', '--n', '8', '--out', 'colour.png')
assert code == 0, err
code, _, err = vidgan('zoo', 'fetch', 'vidgan-glyphs@seed=2')
assert code == 2 and 'cannot be fetched' in err and 'vidgan record vidgan-glyphs@seed=2' in err and err.count('\n') == 1, err
find_judge('glyph')
'''


def installed(root, wheel, tmp):
    "What goes wrong with the wheel in an environment of its own, which sees the packages that it needs, and no repository"
    env_folder = Path(tmp)/'env'
    venv.create(env_folder, with_pip=False, symlinks=True)
    python = env_folder/'bin'/'python'
    site = next(env_folder.glob('lib/python*/site-packages'))
    words = [sys.executable, '-m', 'pip', '--python', str(python), 'install', '-q', '--no-deps', '--no-index', '--disable-pip-version-check', str(wheel)]
    env = {k: v for k, v in os.environ.items() if not k.startswith(('VIDGAN', 'PYTHON'))} | dict(VIDGAN_CACHE=str(Path(tmp)/'cache'), OMP_NUM_THREADS='1')
    r = subprocess.run(words, cwd=tmp, env=env, capture_output=True, encoding='utf-8')       # PYTHONPATH would show pip this repository as installed
    if r.returncode: return [f'{wheel.name}: cannot be installed: {line}' for line in r.stderr.strip().splitlines()[-3:]]
    home = subprocess.run([sys.executable, '-c', 'import torch; print(torch.__file__)'], capture_output=True, encoding='utf-8', cwd=tmp).stdout
    (site/'needed.pth').write_text(str(Path(home.strip()).parent.parent) + '\n', encoding='utf-8')
    work = Path(tmp)/'work'
    work.mkdir()
    r = subprocess.run([env_folder/'bin'/'vidgan', '--help'], cwd=work, env=env, capture_output=True, encoding='utf-8')
    if r.returncode or 'zoo' not in r.stdout: return [f'{wheel.name}, installed: vidgan --help fails: {line}' for line in r.stderr.splitlines()[-3:] or ['']]
    r = subprocess.run([python, '-c', USE, str(Path(root)/'runs')], cwd=work, env=env, capture_output=True, encoding='utf-8')
    return [f'{wheel.name}, installed: {line}' for line in (r.stderr.strip().splitlines() or ['ends without a word'])[-4:]] if r.returncode else []


def problems(root):
    "Source distribution and wheel are built; the wheel is small enough, whole, and works where nothing else of this repository is"
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp).resolve()
        sdist, wheel, wrong = build(root, tmp/'dist')
        return wrong or lacking(root, wheel) + installed(root, wheel, tmp)


if __name__ == '__main__':
    root = Path(__file__).resolve().parent.parent
    if sys.argv[1:]:
        sdist, wheel, wrong = build(root, Path(sys.argv[1]).absolute())
        wrong = wrong or lacking(root, wheel)
        if wheel: print(*(f'{p.name}: {p.stat().st_size/1e6:.1f} MB' for p in (sdist, wheel)), sep='\n')
    else: wrong = problems(root)
    for w in wrong: print(w)
    sys.exit(bool(wrong))
