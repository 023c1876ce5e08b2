"""Two views of 512 colour images of 32x32 on one core: ours beside torchvision's, which are made one by one from Pillow images.

    python tools/bench_views.py [--rounds 9]

Both take turns in one process, on one thread; the result is the median over the rounds of the ratio of their processor times.
The row `ssl-views` of `vidgan bench` gives torchvision two worker processes instead.
"""
import argparse, statistics, sys, time
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rounds', type=int, default=9, help='rounds, in each of which both have a turn (default: %(default)s)')
    p.add_argument('--n', type=int, default=512, help='images (default: %(default)s)')
    a = p.parse_args()
    import torch
    from vidgan_nb.bench_rows import _Pillow
    from vidgan_nb.views import Views
    torch.set_num_threads(1)
    gen, views = torch.Generator().manual_seed(0), Views()
    x = torch.randint(0, 256, (a.n, 3, 32, 32), dtype=torch.uint8, generator=gen)
    here, there = x.float()/127.5 - 1, _Pillow(x, views)

    def ours(): return views(here, gen), views(here, gen)
    def theirs(): return tuple(map(torch.stack, zip(*(there[i] for i in range(a.n)), strict=True)))
    ours(), theirs()
    took = []
    for _ in range(a.rounds):
        clock = [time.process_time()]
        for f in (ours, theirs):
            f()
            clock.append(time.process_time())
        took.append((clock[1] - clock[0], clock[2] - clock[1]))
    ratios = sorted(t/o for o, t in took)
    o, t = (statistics.median(v) for v in zip(*took, strict=True))
    print(f'torchvision {1000*t:.0f} ms, ours {1000*o:.0f} ms: {statistics.median(ratios):.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f})')


if __name__ == '__main__': main()
