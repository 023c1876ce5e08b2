"""Every method on every kind of data: each trains, or refuses in one line with a command that then trains.

    python tools/anydata.py                 all of them
    python tools/anydata.py wgan points     only the methods and kinds of data that are named

The data are made in a temporary folder, the commands are those of `vidgan train`, with small networks and two steps.
Ends with `M methods x K kinds: t trained, r refused, 0 wrong`, and with a non-zero status if anything is wrong.
"""
import contextlib, io, json, math, os, re, shlex, sys, tempfile, time, traceback
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from unittest import mock

N = 24                                           # images of each kind


def write_images(folder, side, colour, classes=('',), n=N):
    "A folder of images, with one below it for each class"
    import numpy as np
    from PIL import Image
    shape = (side, side, 3) if colour else (side, side)
    for i in range(n):
        path = folder/classes[i % len(classes)]/f'{i:03d}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(i).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return f'folder:{folder}'


def write_arrays(path, side):
    "An .npz of images and labels"
    import numpy as np
    rng = np.random.default_rng(0)
    np.savez(path, images=rng.integers(0, 256, (N, side, side, 3), dtype=np.uint8), labels=np.arange(N) % 2)
    return f'folder:{path}'


def make_data(top):
    "Kind of data -> what --data takes, and the settings of the data"
    def images(name, *args): return [write_images(top/name, *args)]
    split = top/'with classes'
    for part in 'train', 'test': write_images(split/part, 32, True, ('cats', 'dogs'))
    return {'points': ['ring', '--set', f'data.n={N}'], 'grey 28': images('grey28', 28, False),
            'grey 32': images('grey32', 32, False), 'colour 32': images('colour32', 32, True),
            'colour 48': images('colour48', 48, True), 'colour 64': images('colour64', 64, True),
            'with classes': [f'folder:{split}'], 'without classes': images('without classes', 50, True),
            'npz with labels': [write_arrays(top/'labels.npz', 32)]}


GANS = ['G.width=4', 'D.n_h=4']                  # what makes networks for images small
SSL = ['S=GlyphNet', 'S.width=4', 'hidden=8']
IMAGES = dict(wgan=GANS, mmd=GANS, ocf=GANS, vidgan=[*GANS, 'T.n_h=4'], corrector=['C.n_h=4'],
              vgan=[f'{k}.{v}' for k in 'GD' for v in ('final=4', 'most=8')] + ['D.k=4'],
              vae=['G.width=4', 'E.width=4'], likelihood=['G.steps=1', 'G.width=4'],
              wrn=['S.depth=10'], vid=['T.depth=10', 'T.width=1', 'S.depth=10'],
              distil=['T.depth=10', 'T.width=1', 'S.depth=10'], simsiam=[*SSL, 'dim=8', 'predictor=8'],
              vicreg=[*SSL, 'dim=8'], simclr=[*SSL, 'dim=8'], barlow=[*SSL, 'dim=8'], byol=[*SSL, 'dim=8', 'predictor=8'],
              squeeze=[*SSL, 'dim=8', 'inner=8'], encode=SSL, classify=['net.width=4'], cgan=GANS)
IMAGES |= {f'{k}-aug': IMAGES[k] for k in ('wgan', 'vgan')}
ALWAYS = dict(worse=['held=8'], refine=['n=64'])                                               # for images and points
GENERATORS = ('wgan', 'vgan', 'sngan', 'vae', 'likelihood', 'mmd', 'ocf', 'vidgan',
              'cgan', 'wgan-aug', 'sngan-aug', 'vgan-aug')                                     # `vidgan sample` draws


def small(words, kind):
    "A command with two steps, batches of eight and small networks, which its own options do not undo"
    method, given = words[2], ' '.join(words)
    sets = ALWAYS.get(method, []) + (IMAGES.get(method, []) if kind != 'points' else [])
    if method in ('sngan', 'sngan-aug') and kind not in ('points', 'colour 48'): sets = ['G=Generator', 'D=Critic', *GANS]
    if '--teacher' in words: sets = [*sets, 'trust=true']                     # two steps make no good teacher
    if method != 'worse': sets = [*sets, 'bs=8']
    if method in (*GENERATORS, 'refine', 'sampler', 'worse'): sets = [*sets, 'score_n=16']
    new = [w for s in sets if f'--set {s.partition("=")[0]}=' not in given for w in ('--set', s)]
    out = [] if '--out' in words else ['--out', f'out/{method}']
    if 'out/teacher' in words and method == 'wgan': out += ['--judge', 'none']   # scores would say that it is none
    return [*words, *new, *out, '--steps', '2', '--device', 'cpu']


def draws(words):
    "Are pictures drawn of this run? They take most of the time, and depend on the data more than on the method"
    return words[2] in ('wgan', 'vgan', 'refine', 'sampler', 'worse') and not {'out/generator', 'out/teacher'} & {*words}


def call(words):
    "Run a command of `vidgan`: its exit status, and the lines it wrote to stderr, without notes"
    from vidgan_nb.cli import main
    err, nothing = io.StringIO(), contextlib.nullcontext()
    pictures = nothing if draws(words) else mock.patch('vidgan_nb.recipes._pictures', lambda *a: None)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err), pictures:
        try: status = main(words[1:])
        except BaseException: status, _ = 99, err.write(traceback.format_exc())
    return status, [l for l in err.getvalue().splitlines() if not l.startswith('vidgan: note:')]


def what_is_wrong(words):
    "What a run that ended well has left, against what it should have"
    out = Path(words[words.index('--out') + 1])
    missing = [f for f in ('recipe.yaml', 'history.csv', 'scores.json') if not (out/f).is_file()]
    if missing: return f'{out} lacks {missing}'
    numbers = [v for s in json.loads((out/'scores.json').read_text(encoding='utf-8')).values() for v in s.values()]
    if not all(map(math.isfinite, numbers)): return f'scores are {numbers}'
    if words[2] not in GENERATORS: return ''
    if not numbers and '--judge' not in words: return 'it was not scored'
    if draws(words) and not (out/'samples.png').is_file(): return 'it has no samples.png'
    status, lines = call(['vidgan', 'sample', str(out), '--out', str(out/'grid.npz'), '--n', '4'])
    return f'its samples: {lines}' if status else ''


def commands(line):
    "The commands that end a refusal"
    return [shlex.split(c) for c in re.findall(r'vidgan train .*?(?=, then vidgan train|$)', line)]


def case(method, kind, data):
    "trained, refused, or what is wrong"
    first = small(['vidgan', 'train', method, '--data', *data], kind)
    status, lines = call(first)
    if status == 0: return what_is_wrong(first) or 'trained'
    if status != 2 or len(lines) != 1: return f'status {status}: ' + ' | '.join(lines[-6:])
    if not commands(lines[0]): return f'no command: {lines[0]}'
    for words in commands(lines[0]):
        words = small(words, kind)
        status, new = call(words)
        wrong = ' | '.join(new[-6:]) if status else what_is_wrong(words)
        if wrong: return f'{lines[0]} BUT {shlex.join(words)}: {wrong}'
    return 'refused'


@contextlib.contextmanager
def alone(top):
    "Inside, nothing of the user's data, weights or settings is found, and the working folder is a new one"
    here, new = os.getcwd(), dict(TORCH_HOME=str(top/'torch'), VIDGAN_CACHE=str(top/'cache'), MPLBACKEND='agg')
    with mock.patch.dict(os.environ, new):
        os.environ.pop('VIDGAN_DATA', None)
        os.chdir(top)
        try: yield
        finally: os.chdir(here)


def run(words=()):
    "(method, kind) -> trained, refused, or what is wrong; and how long each took"
    from vidgan_nb.recipes import METHODS
    found, took = {}, {}
    with tempfile.TemporaryDirectory() as top, alone(Path(top)):
        data = make_data(Path(top)/'data')
        for method in [m for m in METHODS if not {*words} & {*METHODS} or m in words]:
            for kind in [k for k in data if not {*words} & {*data} or k in words]:
                home, start = Path(top)/f'{method} {kind}', time.process_time()
                home.mkdir()
                os.chdir(home)
                found[method, kind] = case(method, kind, data[kind])
                took[method, kind] = time.process_time() - start
    return found, took


def problems():
    "A line for each case that is wrong; what tools/test.py runs"
    found, _ = run()
    print(summary(found))
    return [f'{m} on {k}: {v}' for (m, k), v in found.items() if v not in ('trained', 'refused')]


def summary(found):
    "One line"
    methods, kinds, how = {m for m, _ in found}, {k for _, k in found}, [*found.values()]
    trained, refused = how.count('trained'), how.count('refused')
    return (f'{len(methods)} methods x {len(kinds)} kinds: {trained} trained, {refused} refused, '
            f'{len(how) - trained - refused} wrong')


if __name__ == '__main__':
    import torch
    torch.set_num_threads(1)
    found, took = run(sys.argv[1:])
    for (m, k), v in found.items(): print(f'{m:11}{k:17}{took[m, k]:5.1f} s  {v}')
    print(summary(found))
    sys.exit(not found or any(v not in ('trained', 'refused') for v in found.values()))
