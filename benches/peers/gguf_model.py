"""A LLaMA of Vicuna 7B's shape with random weights, as llama.cpp reads it."""

from pathlib import Path

import gguf
import numpy as np

VOCAB, WIDTH, INNER, HEADS = 32_001, 4096, 11_008, 32
BLOCK = 32
TYPES = {
    "bf16": gguf.GGMLQuantizationType.BF16,
    "q8_0": gguf.GGMLQuantizationType.Q8_0,
    "q4_0": gguf.GGMLQuantizationType.Q4_0,
}


def path_of(folder: Path, dtype: str, layers: int) -> Path:
    """The model's file, written if it is not there."""
    path = folder / f"llama-{layers}-{dtype}.gguf"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        write(temporary, dtype, layers)
        temporary.rename(path)
    return path


def write(path: Path, dtype: str, layers: int) -> None:
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(VOCAB)
    add_tokenizer(writer)
    tensors = shapes(layers)
    for name, shape in tensors:
        data = weights(shape, dtype)
        writer.add_tensor_info(name, data.shape, data.dtype, data.nbytes, raw_dtype_of(shape, dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _, shape in tensors:
        writer.write_tensor_data(weights(shape, dtype))
    writer.close()


def add_tokenizer(writer: gguf.GGUFWriter) -> None:
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    names += [f"word{i}" for i in range(VOCAB - len(names))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * 256
    kinds += [gguf.TokenType.NORMAL] * (VOCAB - len(kinds))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(names)
    writer.add_token_scores([-float(i) for i in range(VOCAB)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


def shapes(layers: int) -> list[tuple[str, tuple[int, ...]]]:
    tensors = [("token_embd.weight", (VOCAB, WIDTH)), ("output_norm.weight", (WIDTH,)),
               ("output.weight", (VOCAB, WIDTH))]
    for i in range(layers):
        square = [(f"blk.{i}.attn_{part}.weight", (WIDTH, WIDTH)) for part in ("q", "k", "v", "output")]
        inner = [(f"blk.{i}.ffn_{part}.weight", (INNER, WIDTH)) for part in ("gate", "up")]
        norms = [(f"blk.{i}.{part}_norm.weight", (WIDTH,)) for part in ("attn", "ffn")]
        tensors += square + inner + [(f"blk.{i}.ffn_down.weight", (WIDTH, INNER))] + norms
    return tensors


def raw_dtype_of(shape: tuple[int, ...], dtype: str):
    return None if len(shape) == 1 else TYPES[dtype]


def weights(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Ones for norms, else a piece of noise of deviation 0.02, repeated."""
    if len(shape) == 1:
        return np.ones(shape, np.float32)
    rows, columns = shape
    rng = np.random.default_rng(1)
    if dtype == "bf16":
        noise = rng.normal(0, 0.02, 1_000_003).astype(np.float32).view(np.uint32) >> 16
        return np.resize(noise.astype(np.uint16).view(np.uint8), (rows, 2 * columns))
    width = {"q8_0": 34, "q4_0": 18}[dtype]
    blocks = rng.integers(0, 256, (10_007, width), dtype=np.uint8)
    scale = np.float16(0.02 / {"q8_0": 73.0, "q4_0": 4.6}[dtype])
    blocks[:, :2] = np.frombuffer(scale.tobytes(), np.uint8)
    return np.resize(blocks, (rows, columns // BLOCK * width))
