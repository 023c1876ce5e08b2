"""Train on a folder of images that is larger than memory: the most memory that all processes take together, and images a second.

    python tools/bench_memory.py                    5 GB of PNG files in a temporary folder, which is removed at the end
    python tools/bench_memory.py --gb .5 --steps 50

A WGAN-GP of two tiny networks trains on the images as they are; workers decode them. Memory is the proportional set size (PSS) of the process
and its workers: their resident memory, with pages that several of them share counted once. The files are noise, which no PNG compresses.
Ends with a non-zero status if the memory exceeds --limit. On two busy cores, with torch 2.14: 25,431 images of 256x256, 5 GB: 753 MB at most,
323 MB of them before the data.
"""
import argparse, io, os, shutil, subprocess, sys, tempfile, time
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def write_images(folder, bytes_, side, block=1, different=64):
    "PNG files of `side` x `side` that take so many bytes once they are decoded, of noise in blocks; returns how many files"
    import numpy as np
    from PIL import Image
    rng, made = np.random.default_rng(0), []
    for _ in range(different):
        f = io.BytesIO()
        noise = rng.integers(0, 256, (side//block, side//block, 3), dtype=np.uint8)
        Image.fromarray(noise.repeat(block, 0).repeat(block, 1)).save(f, 'png', compress_level=int(block > 1))
        made.append(f.getvalue())
    n = int(bytes_/(3*side*side))
    for i in range(n): (folder/f'{i:06d}.png').write_bytes(made[i % different])
    return n


def pss():
    "Megabytes that this process and its children take together, shared pages counted once"
    import re
    me, total = str(os.getpid()), 0
    for p in Path('/proc').glob('[0-9]*'):
        try:
            if p.name == me or f'PPid:\t{me}\n' in (p/'status').read_text(encoding='utf-8'):
                total += int(re.search(r'^Pss:\s*(\d+)', (p/'smaps_rollup').read_text(encoding='utf-8'), re.M)[1])
        except OSError: pass                                                   # it ended meanwhile
    return total/1024


def train(folder, steps, bs, workers, lazy):
    "Train; prints megabytes before the data are opened, the most while training, and images a second"
    import torch
    from torch import nn
    from vidgan_nb.datasets import load
    from vidgan_nb.wgan import WGANGP
    torch.set_num_threads(1)
    before = pss()
    data = load(f'folder:{folder}', **({} if lazy is None else dict(lazy=lazy)))
    side = data.shape[-1]
    G = nn.Sequential(nn.Linear(8, 3*8*8), nn.Unflatten(1, (3, 8, 8)), nn.Upsample(scale_factor=side//8), nn.Tanh())
    D = nn.Sequential(nn.AvgPool2d(side//8), nn.Flatten(), nn.Linear(3*8*8, 32), nn.Tanh(), nn.Linear(32, 1))
    loop = WGANGP(data, G, D, nz=8, bs=bs, n_critic=1)
    loop.batches.workers = workers
    loop.step()                                                                # the workers start here
    most, start = pss(), time.monotonic()
    for i in range(1, steps):
        loop.step()
        if i % 5 == 0: most = max(most, pss())
    rate = (loop.batches.count - 2)*bs/(time.monotonic() - start)
    print(f'{before:.0f} {max(most, pss()):.0f} {rate:.0f}')


def measure(folder, gb, side=256, steps=100, bs=16, workers=2, lazy=None, block=1):
    "Make the files in `folder` and train on them in a new process: files, megabytes before and at most, images a second"
    n = write_images(Path(folder), gb*1e9, side, block)
    words = [sys.executable, __file__, '--train', str(folder), '--steps', str(steps), '--bs', str(bs), '--workers', str(workers)]
    p = subprocess.run(words + ['--lazy', str(lazy)]*(lazy is not None), capture_output=True, encoding='utf-8', env=os.environ | dict(OMP_NUM_THREADS='1'))
    if p.returncode: raise SystemExit(p.stderr[-3000:])
    return n, *map(float, p.stdout.split())


def problems(gb=.5, lazy=True):
    "For the tests: half a gigabyte in small files; training on it takes far less than that beside the program itself"
    if not Path('/proc/self/smaps_rollup').exists(): return []                 # only Linux says what several processes take together
    with tempfile.TemporaryDirectory() as folder: n, before, most, rate = measure(folder, gb, 512, steps=6, bs=2, lazy=lazy, block=64)
    grown, whole = most - before, gb*1e9/2**20
    return [f'{n} images of {whole:.0f} MB: memory grew by {grown:.0f} MB while training'] if grown > .6*whole else []


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--gb', type=float, default=5, help='10^9 bytes of images (default: %(default)s)')
    p.add_argument('--limit', type=float, default=1000, help='megabytes that all processes may take together (default: %(default)s)')
    p.add_argument('--side', type=int, default=256, help='height and width of an image, a multiple of 8 (default: %(default)s)')
    p.add_argument('--steps', type=int, default=100, help='steps of training (default: %(default)s)')
    p.add_argument('--bs', type=int, default=16, help='batch size (default: %(default)s)')
    p.add_argument('--workers', type=int, default=2, help='processes that decode (default: %(default)s)')
    p.add_argument('--folder', help='where the files are made (default: a temporary folder)')
    p.add_argument('--train', help=argparse.SUPPRESS)
    p.add_argument('--lazy', type=lambda s: s == 'True', default=None, help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.train: return train(a.train, a.steps, a.bs, a.workers, a.lazy)
    with tempfile.TemporaryDirectory(dir=a.folder) as folder:
        free = shutil.disk_usage(folder).free
        if free < 1.1e9*a.gb: sys.exit(f'{a.gb} GB of files are wanted, and {free/1e9:.1f} GB are free: choose another --folder, or a smaller --gb')
        n, before, most, rate = measure(folder, a.gb, a.side, a.steps, a.bs, a.workers)
    print(f'{n:,} images of {a.side}x{a.side}, {a.gb} GB: {most:.0f} MB at most, {before:.0f} MB of them before the data; {rate:.0f} images/s ({a.workers} workers)')
    sys.exit(most > a.limit)


if __name__ == '__main__': main()
