"""Inception's features on the CPU against torch-fidelity's, paired and interleaved: medians of ratios, each pair one after the other.

    python tools/bench_inception.py [--pairs 8] [--bs 16] [--size 32] [--threads 1 2] [--json FILE]

Theirs: FeatureExtractorInceptionV3 of torch-fidelity, which pytorch-fid's resembles. Ours: `InceptionV3` and its `lean` copy. All read the
same bytes with the same random weights, in float32. The errors are relative, of the matrix of all features: ours against theirs, and each
against ours in double precision. Also the resize alone, to 299 pixels.
"""
import argparse, copy, io, json, sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def networks():
    "Theirs, ours and its lean copy, with the same weights: of He's size, batch norms near the identity"
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from vidgan_nb.inception import InceptionV3
    net, file = InceptionV3().eval().requires_grad_(False), io.BytesIO()
    state = net.state_dict()
    for name, p in state.items():
        kind = name.split('.')[-1]
        if p.dim() > 1: p.normal_(0, (2/p[0].numel())**.5)
        elif kind in ('bias', 'running_mean'): p.normal_(0, .1)
        elif kind in ('weight', 'running_var'): p.uniform_(.7, 1.3)
    torch.save(state, file)
    file.seek(0)
    return FeatureExtractorInceptionV3('inception', ['2048'], feature_extractor_weights_path=file), net, net.lean()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--pairs', type=int, default=8, help='of timings; an even number')
    p.add_argument('--bs', type=int, default=16, help='images in a batch')
    p.add_argument('--size', type=int, default=32, help='of the images')
    p.add_argument('--threads', type=int, nargs='+', default=[1, 2])
    p.add_argument('--json', type=Path)
    a = p.parse_args()
    import torch
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
    from vidgan_nb.bench import paired
    from vidgan_nb.records import machine
    from vidgan_nb.blocks import features
    from vidgan_nb.inception import resize_tf1
    torch.manual_seed(0)
    x = torch.randint(256, (a.bs, 3, a.size, a.size), dtype=torch.uint8)
    theirs, plain, lean = networks()
    read = lambda net: (lambda: features(net, x, ['features'])['features'])
    off = lambda y, z: ((y.double() - z.double()).norm()/z.double().norm()).item()
    out = dict(machine=machine(), bs=a.bs, size=a.size, threads={})
    with torch.inference_mode():
        truth = read(copy.deepcopy(plain).double())()
        made = dict(theirs=theirs(x)[0], plain=read(plain)(), lean=read(lean)())
        out['error'] = {k: dict(to_theirs=off(y, made['theirs']), to_float64=off(y, truth)) for k, y in made.items()}
        for k, e in out['error'].items(): print(f'{k:>7}: relative error {e["to_theirs"]:.1e} to theirs, {e["to_float64"]:.1e} to float64')
        print(f'{"threads":>7} {"":>7} {"theirs s":>9} {"ours s":>8} {"ratio":>7} {"least":>7} {"largest":>8}')
        for n in a.threads:
            torch.set_num_threads(n)
            floats = x.float()
            runs = dict(plain=(lambda: theirs(x), read(plain)), lean=(lambda: theirs(x), read(lean)),
                        resize=(lambda: interpolate_bilinear_2d_like_tensorflow1x(floats, (299, 299), align_corners=False), lambda: resize_tf1(floats)))
            out['threads'][n] = {k: paired(ours, by_them, a.pairs)._asdict() for k, (by_them, ours) in runs.items()}
            for k, r in out['threads'][n].items():
                print(f'{n:>7} {k:>7} {r["theirs"]:>9.3f} {r["ours"]:>8.3f} {r["ratio"]:>6.2f}x {r["least"]:>6.2f}x {r["largest"]:>7.2f}x')
    print(f'{out["machine"]["processor"]}, torch {out["machine"]["torch"]}')
    if a.json: a.json.write_text(json.dumps(out, indent=1), encoding='utf-8')


if __name__ == '__main__':
    main()
