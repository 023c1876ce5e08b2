"""How many training images a second: `Batches` against torchvision's transforms behind a DataLoader.

Both shift and flip each image of the same data set and give float batches in [-1, 1]. They take turns; the result is
the median over the rounds of the ratio of their times. Needs torchvision; run it on a quiet machine.
"""
import argparse, json, statistics, time
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T
from vidgan_nb.data import Batches
from vidgan_nb.datasets import load

class Pictures(Dataset):
    "The usual way: one Pillow image at a time, transformed one by one"
    def __init__(self, data):
        self.x, self.c, side = data.x.permute(0, 2, 3, 1).numpy(), data.c.tolist(), data.shape[-1]
        mean = (.5,)*data.shape[0]
        self.f = T.Compose([T.RandomCrop(side, padding=side//8), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(mean, mean)])
    def __len__(self): return len(self.c)
    def __getitem__(self, i): return self.f(Image.fromarray(self.x[i].squeeze())), self.c[i]

def endless(loader):
    while True: yield from loader

def seconds(batches, k):
    "Time to draw k batches; the ones made in advance are not counted"
    for _ in range(12): next(batches)
    start = time.perf_counter()
    for _ in range(k): x, c = next(batches)
    took = time.perf_counter() - start
    assert x.dtype == torch.float32 and -1 <= x.min() and x.max() <= 1
    return took

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--data', default='glyphs-colour', help='a data set of images (default: %(default)s, which needs no files)')
    p.add_argument('--root', help='the folder your data are in')
    p.add_argument('--n', type=int, default=10_000, help='images of it to use')
    p.add_argument('--bs', type=int, default=64, help='batch size')
    p.add_argument('--batches', type=int, default=100, help='batches a round')
    p.add_argument('--rounds', type=int, default=9, help='rounds, in each of which both have a turn')
    p.add_argument('--workers', type=int, default=2, help='processes of the DataLoader')
    p.add_argument('--threads', type=int, default=1, help="torch's threads (default: 1, as each worker of the DataLoader has)")
    p.add_argument('--json', help='write the result to this file')
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    data = load(a.data, a.root, n=a.n)
    ours = Batches(data, a.bs, augment='shift+flip')
    theirs = endless(DataLoader(Pictures(data), a.bs, shuffle=True, drop_last=True, num_workers=a.workers, persistent_workers=a.workers > 0))
    next(theirs)
    times = []
    for r in range(a.rounds):
        turn = {}
        for who in (('theirs', 'ours'), ('ours', 'theirs'))[r % 2]:
            if who == 'ours': time.sleep(.3)  # the workers fill their queues and rest
            turn[who] = seconds(ours if who == 'ours' else theirs, a.batches)
        times.append(turn)
    rate = {who: a.batches*a.bs/statistics.median(t[who] for t in times) for who in ('theirs', 'ours')}
    ratios = sorted(t['theirs']/t['ours'] for t in times)
    out = dict(data=repr(data), bs=a.bs, rounds=a.rounds, workers=a.workers, threads=torch.get_num_threads(), torch=torch.__version__,
               images_per_second=rate, ratio=statistics.median(ratios), ratio_lowest=ratios[0], ratio_highest=ratios[-1])
    print(out['data'])
    print(f"{'torchvision + DataLoader':<26}{rate['theirs']:>10,.0f} images/s  ({a.workers} workers)")
    print(f"{'Batches':<26}{rate['ours']:>10,.0f} images/s  ({out['threads']} threads)")
    print(f"{'ratio':<26}{out['ratio']:>10.1f}           ({ratios[0]:.1f} to {ratios[-1]:.1f} in {a.rounds} rounds)")
    if a.json:
        with open(a.json, 'w', encoding='utf-8') as f: json.dump(out, f, indent=1)

if __name__ == '__main__': main()
