"""A peer that does one piece of work again and again.

Started by `compare`, it builds a model with random weights, says `ready`, and for every line of its input does the work once
and says how long that took: `{"seconds": 0.5}`. See the README for the works.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Threads that spin while they wait starve the others where two processors share one's time.
os.environ.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="0", KMP_BLOCKTIME="0")

LAYERS = {"vit": 39, "qformer": 12, "prefill": 32, "decode": 32, "loop": 32}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", choices=["torch", "llama.cpp"], required=True)
    parser.add_argument("--work", choices=list(LAYERS), required=True)
    parser.add_argument("--dtype", choices=["f32", "bf16", "q8_0", "q4_0"], required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layers", type=int, help="fewer than the real model has")
    parser.add_argument("--tokens", type=int, default=96, help="of a prompt")
    parser.add_argument("--rows", type=int, default=1, help="of a decoding step")
    parser.add_argument("--past", type=int, default=128, help="tokens behind a decoding step")
    parser.add_argument("--calls", default="53:48,72:80,89:80,106:80,123:80", help="PROMPT:TEXT lengths of a loop")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/vigc-peers"), help="for the GGUF files")
    options = parser.parse_args()
    options.layers = options.layers or LAYERS[options.work]
    return options


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def loop_seconds(calls: str, prefill: Callable[[int], float], step: Callable[[int], float]) -> float:
    """All calls of a sample: each prompt once, and each token at the cost of a step in the middle of its text."""
    total = 0.0
    for call in calls.split(","):
        prompt, text = map(int, call.split(":"))
        total += prefill(prompt) + (text - 1) * sorted(step(prompt + text // 2) for _ in range(3))[1]
    return total


def torch_work(options: argparse.Namespace) -> Callable[[], float]:
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[options.dtype]
    torch.set_default_dtype(dtype)
    torch.set_grad_enabled(False)
    maker = {"vit": torch_vit, "qformer": torch_qformer}.get(options.work, torch_llama)
    return maker(options)


def torch_vit(options: argparse.Namespace) -> Callable[[], float]:
    import torch
    from transformers import InstructBlipVisionConfig, InstructBlipVisionModel

    config = InstructBlipVisionConfig(num_hidden_layers=options.layers, attn_implementation="sdpa")
    model = InstructBlipVisionModel(config).eval()
    # Its own start is close to nothing.
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.normal_(0, 0.02)
    image = torch.randn(1, 3, 224, 224)
    return lambda: timed(lambda: model(pixel_values=image))


def torch_qformer(options: argparse.Namespace) -> Callable[[], float]:
    import torch
    from transformers import InstructBlipQFormerConfig, InstructBlipQFormerModel

    config = InstructBlipQFormerConfig(num_hidden_layers=options.layers, vocab_size=30_523)
    model = InstructBlipQFormerModel(config).eval()
    inputs = {
        "input_ids": torch.arange(4, 24)[None],
        "attention_mask": torch.ones(1, 52, dtype=torch.long),
        "query_embeds": torch.randn(1, 32, 768),
        "encoder_hidden_states": torch.randn(1, 257, 1408),
    }
    return lambda: timed(lambda: model(**inputs))


def torch_llama(options: argparse.Namespace) -> Callable[[], float]:
    import torch
    from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=32_001, hidden_size=4096, intermediate_size=11_008, num_hidden_layers=options.layers,
        num_attention_heads=32, attn_implementation="sdpa",
    )
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    model = model.to_empty(device="cpu").eval()
    noise = 0.02 * torch.randn(1_000_003)
    for name, weight in model.named_parameters():
        repeats = -(-weight.numel() // noise.numel())
        weight.copy_(torch.ones(()) if "norm" in name else noise.repeat(repeats)[: weight.numel()].view_as(weight))
    # What `to_empty` left without numbers.
    model.model.rotary_emb = type(model.model.rotary_emb)(config)

    def read(rows: int, tokens: int, cache: DynamicCache) -> float:
        ids = torch.full((rows, tokens), 7)
        return timed(lambda: model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1))

    def prefill(tokens: int) -> float:
        return read(1, tokens, DynamicCache())

    caches: dict[int, DynamicCache] = {}

    def step(past: int) -> float:
        if past not in caches:
            caches.clear()
            caches[past] = DynamicCache()
            read(options.rows, past, caches[past])
        seconds = read(options.rows, 1, caches[past])
        caches[past].crop(-1)
        return seconds

    return lm_work(options, prefill, step)


def lm_work(
    options: argparse.Namespace, prefill: Callable[[int], float], step: Callable[[int], float]
) -> Callable[[], float]:
    return {
        "prefill": lambda: prefill(options.tokens),
        "decode": lambda: step(options.past),
        "loop": lambda: loop_seconds(options.calls, prefill, step),
    }[options.work]


def llama_work(options: argparse.Namespace) -> Callable[[], float]:
    import ctypes

    import llama_cpp
    from gguf_model import path_of

    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p())
    llama_cpp.llama_backend_init()
    path = path_of(options.folder, options.dtype, options.layers)
    params = llama_cpp.llama_model_default_params()
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = 1024 * options.rows
    settings.n_batch = settings.n_ubatch = 512
    settings.n_seq_max = options.rows
    settings.n_threads = settings.n_threads_batch = options.threads
    context = llama_cpp.llama_init_from_model(model, settings)
    if not context:
        raise RuntimeError("llama.cpp could not open the model")
    memory = llama_cpp.llama_get_memory(context)
    batch = llama_cpp.llama_batch_init(512, 0, options.rows)

    def decode(tokens: list[tuple[int, int, bool]]) -> float:
        """Reads tokens, each at a position of a row, with scores or without."""
        batch.n_tokens = len(tokens)
        for i, (position, row, scored) in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i] = 7, position, 1
            batch.seq_id[i][0], batch.logits[i] = row, scored
        start = time.perf_counter()
        if llama_cpp.llama_decode(context, batch) != 0:
            raise RuntimeError("llama.cpp could not read the tokens")
        llama_cpp.llama_synchronize(context)
        return time.perf_counter() - start

    past_now = [-1]

    def prefill(tokens: int) -> float:
        llama_cpp.llama_memory_clear(memory, True)
        past_now[0] = -1
        return decode([(i, 0, i == tokens - 1) for i in range(tokens)])

    def step(past: int) -> float:
        if past_now[0] != past:
            prefill(past)
            for row in range(1, options.rows):
                decode([(i, row, i == past - 1) for i in range(past)])
            past_now[0] = past
        seconds = decode([(past, row, True) for row in range(options.rows)])
        for row in range(options.rows):
            llama_cpp.llama_memory_seq_rm(memory, row, past, -1)
        return seconds

    work = lm_work(options, prefill, step)
    # Kept alive as long as it may be called.
    work.silent = silent  # type: ignore[attr-defined]
    return work


def main() -> None:
    options = arguments()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        work = (torch_work if options.peer == "torch" else llama_work)(options)
        work()
        print("ready", file=answers)
        for _ in sys.stdin:
            print(json.dumps({"seconds": work()}), file=answers)
    except Exception as error:  # noqa: BLE001: the other side shows it
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers)
        sys.exit(1)


if __name__ == "__main__":
    main()
