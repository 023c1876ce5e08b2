"""Time this library's steps of two commits in turns, to see whether a change made one slower.

    python tools/bench_commits.py BEFORE [AFTER] [--rows wgan-step-32 vid-step ...] [--pairs 20]

Each commit is checked out into a folder of its own and runs in a process of its own, on one thread. Both take one step of
a row in turn, the order alternating; printed is the median over the pairs of the ratio of times (after/before), with the
quartiles. The last line says which rows are slower by more than three percent.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent
WORKER = '''
import sys, time, torch
torch.set_num_threads(1)
from vidgan_nb import bench
def build(name):
    if hasattr(bench, 'make_row'): return bench.make_row(name)
    return bench.resolve(bench.ROWS[name])(quick=False, device='cpu')
for line in sys.stdin:
    what, _, name = line.strip().partition(' ')
    if what == 'row':
        try:
            step = build(name).ours
            for _ in range(2): step()
            print('ready', flush=True)
        except Exception as e: print(f'failed {type(e).__name__} {e}'.replace(chr(10), ' '), flush=True)
    else:
        start = time.perf_counter()
        step()
        print(time.perf_counter() - start, flush=True)
'''


class Tree:
    "A commit in a folder and a process of its own"
    def __init__(self, commit, folder):
        subprocess.run(['git', 'worktree', 'add', '--detach', '--quiet', str(folder), commit], cwd=root, check=True)
        env = os.environ | dict(PYTHONPATH=str(folder), OMP_NUM_THREADS='1')
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding='utf-8', bufsize=1)
        self.process = subprocess.Popen([sys.executable, '-P', '-c', WORKER], env=env, cwd=folder, **pipes)

    def ask(self, line):
        "Send a line, and wait for the answer"
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


def compare(before, after, row, pairs):
    "The ratios after/before of a row's steps, a pair each"
    said = [t.ask(f'row {row}') for t in (before, after)]
    if said != ['ready', 'ready']: raise RuntimeError(f'{row}: {said}')
    ratios = []
    for i in range(pairs):
        took = {t: float(t.ask('step')) for t in ((before, after) if i % 2 else (after, before))}
        ratios.append(took[after]/took[before])
    return ratios


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('before')
    p.add_argument('after', nargs='?', default='HEAD')
    p.add_argument('--rows', nargs='+')
    p.add_argument('--pairs', type=int, default=20, help='of steps, for each row')
    p.add_argument('--json', help='where to write the ratios')
    a = p.parse_args()
    sys.path.insert(0, str(root))
    from vidgan_nb.bench import ROWS
    slower, found = [], {}
    with tempfile.TemporaryDirectory() as tmp:
        trees = [Tree(c, Path(tmp)/k) for k, c in dict(before=a.before, after=a.after).items()]
        try:
            for row in a.rows or ROWS:
                found[row] = ratios = compare(*trees, row, a.pairs)
                low, middle, high = statistics.quantiles(ratios, n=4)
                print(f'{row:24} {middle:.3f} ({low:.3f}-{high:.3f})', flush=True)
                if middle > 1.03: slower.append(row)
        finally:
            for t in trees:
                t.process.terminate()
                t.process.wait()
            for k in ('before', 'after'):
                subprocess.run(['git', 'worktree', 'remove', '--force', str(Path(tmp)/k)], cwd=root, check=False)
    if a.json: Path(a.json).write_text(json.dumps(dict(before=a.before, after=a.after, ratios=found)), encoding='utf-8')
    print(f'{len(slower)} of {len(found)} rows slower by more than 3 %' + (f': {", ".join(slower)}' if slower else ''))
    sys.exit(bool(slower))


if __name__ == '__main__': main()
