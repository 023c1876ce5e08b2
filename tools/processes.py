"""Every method in two processes against one: they take the same steps, or the method refuses in one line.

    python tools/processes.py               all methods, each with every value of its options
    python tools/processes.py mmd distil    only these methods
    python tools/processes.py --losses      all methods, of their options only the losses: what `make test` runs
    python tools/processes.py --rehearse 20 what nbs/howto/on_a_cluster.ipynb shows of a requeue and of a lost process, so often

torchrun starts two processes that speak through gloo. Each case is a small recipe of a method in recipes.METHODS, so a new one is covered
the day it is added; the options of its loop are found by asking for one that does not exist and noting which do. All is computed in
float64, where only rounding is left: weights, buffers and what was measured agree to 1e-6 after two steps, and the processes bit for bit.
Ends with `M methods, N cases: e equal, r refused, 0 wrong`, and with a non-zero status if anything is wrong.

The rehearsals run the code of that page as it stands there, the blocks too that it only shows; the test `restarts` runs them once, and `late`.
"""
import contextlib, json, os, re, signal, subprocess, sys, tempfile, time, traceback, warnings
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from unittest import mock

STEPS, TOLERANCE = 2, 1e-6
NOT_OPTIONS = {'device', 'augment', 'norm', 't_norm', 'eye', 'trust', 'test', 'bf16_teacher'}   # of data, files and precision
LOSSES = {'loss', 'penalty', 'distil', 'terms', 'knows'}
TWO = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2']
OF_ROWS = {'measured spread', 'measured directions'}   # logged only, and by SimSiam and squeeze for the rows of each process: see the how-to
FINE = 'equal', 'refused', 'no case'
ALONE = 'in one process'                         # what a refusal says
SHARED = dict(stylegan=dict(D=dict(added=0), loop=dict(noise='const')))   # where the default refuses: settings that several processes take
SMALLER = dict(SNDCGANGenerator=dict(net='Generator', width=4), SNDCGANDiscriminator=dict(net='Critic', n_h=4))   # the nets of sngan


def recipes(name):
    "Small recipes of a method: those on drawn digits, one for each set of settings, or else its default"
    from anydata import IMAGES
    from vidgan_nb.recipes import load_recipe, method, recipe_names, settings
    from vidgan_nb.recompute import small
    found = {frozenset(r['loop']): r for r in map(load_recipe, recipe_names()) if r['method'] == name and r['data']['name'] == 'glyphs'}
    r = load_recipe(name)
    r['nets'] = {k: dict(channels=1) | SMALLER[v['net']] if v['net'] in SMALLER else v for k, v in r['nets'].items()}
    for net, _, rest in (s.partition('.') for s in IMAGES.get(name, [])):
        key, _, value = rest.partition('=')
        if value and net in r['nets']: r['nets'][net] = r['nets'][net] | {key: int(value)}
    if 'held' in settings(method(r))[0]: r['loop'] = dict(held=2) | r['loop']
    found = [small(r) for r in sorted(found.values(), key=lambda r: -len(r['loop']))] or [small(r)]
    return found + [shared(found[0], change) for change in [SHARED.get(name)] if change]


def shared(r, change):
    "A recipe with other settings of its networks and of its loop"
    nets = {k: v | change.get(k, {}) for k, v in r['nets'].items()}
    return r | dict(nets=nets, loop=r['loop'] | change['loop'])


def built(r):
    "The loop of a recipe, on noise"
    import torch
    from vidgan_nb.recipes import build
    from vidgan_nb.recompute import stand_in
    torch.manual_seed(0)
    return build(r, data=stand_in(r['data']))


def options(name, r, only=()):
    "(setting, value) for each choice that the loop of a method offers and that the recipe has not made"
    from vidgan_nb import basics
    from vidgan_nb.recipes import method, settings
    asked, list_names = [], basics._names
    def note(name, known, what):
        if name == 'none such': asked.append(known)
        return list_names(name, known, what)
    for key, kind in settings(method(dict(method=name)))[0].items():
        now = r['loop'].get(key, kind.default)
        if key in NOT_OPTIONS or only and key not in only: continue
        if ': bool' in str(kind): yield key, not now
        elif ': str' in str(kind):
            with mock.patch.object(basics, '_names', note), contextlib.suppress(basics.BadInput): built(with_option(r, key, 'none such'))
            if asked: yield from ((key, v) for v in asked.pop() if v != now)


def with_option(r, key, value): return r | dict(loop=r['loop'] | {key: value})


def cases(words=()):
    "Name -> recipe, of the methods among the words or of all; `--losses`: of the options only those in LOSSES"
    from vidgan_nb.recipes import METHODS
    found = {}
    for m in [m for m in METHODS if not {*words} & {*METHODS} or m in words]:
        rs = recipes(m)
        for i, r in enumerate(rs): found[f'{m} {i}' if i else m] = r
        for k, v in options(m, rs[0], LOSSES if '--losses' in words else ()): found[f'{m} {k}={v}'] = with_option(rs[0], k, v)
    return found


def state(loop):
    "Path -> tensor: weights, buffers, and the tensors that the loop keeps"
    import torch
    from vidgan_nb.loops import parts
    found = {k: v for k, v in vars(loop).items() if isinstance(v, torch.Tensor)}
    for path, v in parts(loop).items():
        if isinstance(v, torch.nn.Module): found |= {f'{path}.{k}': t for k, t in v.state_dict().items() if isinstance(t, torch.Tensor)}
    return {k: t.detach().double().clone() for k, t in found.items()}


def result(r):
    "The state after some steps and what the last one measured; or the line of a refusal, or an error"
    from vidgan_nb.basics import BadInput
    from vidgan_nb.loops import History, process_mean
    from vidgan_nb.monitor import spread
    import torch
    try:
        loop = spread(built(r))
        for _ in range(STEPS):
            measured = loop.step()
            loop.history.done += 1
    except BadInput as e: return str(e)
    except Exception: return dict(error='\n'.join(traceback.format_exc().splitlines()[-4:]))
    return state(loop) | {f'measured {k}': process_mean(torch.as_tensor(v).double()) for k, v in measured.items()}


def in_float32(f):
    "A method of a module that takes and gives float64 and computes in float32, where it can do no other"
    import torch
    def g(self, x, *args):
        torch.set_default_dtype(torch.float32)
        try: return f(self.float(), x.float(), *args).double()
        finally: torch.set_default_dtype(torch.float64)
    return g


def child(folder, words):
    "One of two processes: half of the cases alone, then all of them together"
    import torch
    from vidgan_nb import data, ssl, views
    from vidgan_nb.loops import rank
    from vidgan_nb.monitor import join_processes
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    me, unit = int(os.environ['RANK']), data._unit
    with contextlib.ExitStack() as stack:
        def replace(*what): stack.enter_context(mock.patch.object(*what))
        replace(data, '_unit', lambda x: unit(x).double())
        replace(ssl, 'float_type', lambda net: torch.float32)                  # it takes no other networks, and they serve
        for name in ('forward', 'plain'): replace(views.Views, name, in_float32(getattr(views.Views, name)))
        found = cases(words)
        for i, r in enumerate(found.values()):
            if i % 2 == me: torch.save(result(r), folder/f'{i}.alone')
        join_processes()
        assert rank() == me
        for i, r in enumerate(found.values()): torch.save(result(r), folder/f'{i}.{me}')
    if me == 0: torch.save(list(found), folder/'names')


def compare(name, alone, first, second):
    "equal, refused, no case (an option that does not fit the networks), or what is wrong"
    import torch
    for r in (alone, first, second):
        if 'error' in r and isinstance(r, dict): return r['error']
    if isinstance(alone, str): return 'no case' if '=' in name else f'one process: {alone}'
    if isinstance(first, str) or isinstance(second, str):
        return 'refused' if first == second and ALONE in first and '\n' not in first else f'refused: {str(first):.300} and {str(second):.300}'
    if alone.keys() != first.keys(): return 'two processes hold other things than one'
    apart = [k for k, t in first.items() if not torch.equal(t, second[k])]
    if apart: return f'differs between the two processes: {", ".join(apart[:4])}'
    gaps = {k: (t - alone[k]).abs().max().item() if t.shape == alone[k].shape else float('inf') for k, t in first.items() if t.numel()}
    wrong = {k: g for k, g in gaps.items() if not g < TOLERANCE and k not in OF_ROWS}
    return f'{len(wrong)} of {len(gaps)} differ: ' + ', '.join(f'{k} by {g:.1e}' for k, g in [*wrong.items()][:4]) if wrong else 'equal'


def run(words=(), limit=1700):
    "Case -> equal, refused, or what is wrong"
    import torch
    env = os.environ | dict(OMP_NUM_THREADS='1')
    with tempfile.TemporaryDirectory() as folder:
        p = subprocess.run([*TWO, __file__, '--child', folder, *words], env=env, capture_output=True, encoding='utf-8', timeout=limit)
        folder = Path(folder)
        if p.returncode: return {'torchrun': f'{p.stdout[-500:]} {p.stderr[-3000:]}'}
        load = lambda name: torch.load(folder/name, weights_only=True, map_location='cpu')
        return {name: compare(name, *(load(f'{i}.{k}') for k in ('alone', 0, 1))) for i, name in enumerate(load('names'))}


# ---------------------------------------------------------------------------------------- processes that are started again

def bounded(command, limit, **kw):
    "Run a command and all that it starts for at most `limit` seconds: its status (None: it was stopped) and what it said"
    with tempfile.TemporaryFile('w+') as said:
        p = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True, **kw)
        try: status = p.wait(limit)
        except subprocess.TimeoutExpired: status = None
        with contextlib.suppress(ProcessLookupError): os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        said.seek(0)
        return status, said.read()


LATE = '''import os, sys, time
sys.path.insert(0, sys.argv[1])
from torch import distributed
from vidgan_nb.monitor import join_processes
again, me = os.environ['TORCHELASTIC_RESTART_COUNT'] != '0', int(os.environ['RANK'])
if again and me == LATE: time.sleep(3)
join_processes()
distributed.barrier()
if not again and me == 1: os.kill(os.getpid(), 9)
if not again: time.sleep(60)
'''

def late(who, limit=120):
    "After a restart one of two processes comes later than the other, which must not connect to what ended; a line if it does"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder)/'late.py').write_text(LATE.replace('LATE', str(who)), encoding='utf-8')
        words = '--max-restarts', '1', f'{folder}/late.py', str(Path(__file__).resolve().parent.parent)
        status, said = bounded([*TWO, *words], limit)
    return [f'after a restart process {who} comes late: {"nothing" if status is None else f"status {status}"} after {limit} s: {said[-1000:]}']*(status != 0)


PAGE = Path(__file__).resolve().parent.parent/'nbs'/'howto'/'on_a_cluster.ipynb'
CHECKS = '''
log, asked = Path('log.txt').read_text(), Path('asked.txt').read_text().splitlines()
assert 0 < stopped < 600 == last('out/wgan'), log[-3000:]
assert [line.split()[0] for line in asked] == ['requeue'], asked
steps = [line.split(',')[0] for line in Path('out/wgan/history.csv').read_text().splitlines()[1:]]
assert len(steps) == len(set(steps)) and steps[-1] == '600'            # no step twice, and none after the end
assert done.returncode == 0 and 'lost starts at step 40' in done.stdout, done.stderr[-3000:]
assert gap == 0 and last('lost') == last('whole') == 100
print('as the page says')
'''

def shown(page=PAGE, until='**Step 4'):
    "The code of the page up to a step, in order: its cells, and the blocks of Python that it shows and does not run"
    for c in json.loads(page.read_text(encoding='utf-8'))['cells']:
        text = ''.join(c['source'])
        if text.startswith(until): return
        if c['cell_type'] == 'markdown': yield from re.findall(r'^```python\n(.*?)^```', text, re.M | re.S)
        elif 'google.colab' not in text: yield text


def rehearse(limit=600):
    "A job that comes back through the queue and a process that is lost, as the page shows them; what went wrong"
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder)/'page.py'
        script.write_text('\n\n'.join([*shown(), CHECKS]), encoding='utf-8')
        env = os.environ | dict(OMP_NUM_THREADS='1', PYTHONPATH=os.pathsep.join([str(PAGE.parents[2]), os.environ.get('PYTHONPATH', '')]))
        status, said = bounded([sys.executable, str(script)], limit, env=env, cwd=folder)
    if status == 0 and 'as the page says' in said: return []
    return [f'a rehearsal of the page on clusters: {f"stopped after {limit} s" if status is None else f"status {status}"}: {said[-3000:]}']


def rehearsals(times):
    "Rehearse so often; how many went wrong"
    wrong = 0
    for i in range(times):
        start = time.monotonic()
        found = rehearse() + late(i % 2)
        wrong += bool(found)
        print(f'{i + 1} of {times}: {time.monotonic() - start:.0f} s', *found, sep='\n', flush=True)
    print(f'{times} rehearsals: {wrong} wrong')
    return wrong


def problems(words=('--losses',)):
    "What is wrong, a line each"
    found = run(words)
    return [f'{k}: {v}' for k, v in found.items() if v not in FINE] or ['nothing was compared']*('equal' not in found.values())


def restarts():
    "What is wrong where processes are started again, a line each"
    return late(0) + late(1) + rehearse()


def main():
    if '--rehearse' in sys.argv: sys.exit(bool(rehearsals(int(sys.argv[-1]))))
    found = run(sys.argv[1:])
    for k, v in found.items(): print(f'{k}: {v}')
    wrong = [v for v in found.values() if v not in FINE]
    count = {v: list(found.values()).count(v) for v in FINE}
    print(f'{len({k.split()[0] for k in found})} methods, {len(found) - count["no case"]} cases: {count["equal"]} equal, {count["refused"]} refused, {len(wrong)} wrong')
    sys.exit(bool(wrong) or not found)


if __name__ == '__main__':
    if '--child' in sys.argv[1:2]: child(Path(sys.argv[2]), sys.argv[3:])
    else: main()
