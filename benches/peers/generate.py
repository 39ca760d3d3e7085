"""VIG and VIC in PyTorch: what `generate` does, on an exported model.

    cargo run --release --example convert -- --model vigc-mini --out /tmp/mini
    python3 benches/peers/generate.py /tmp/mini pictures/ --batch 8

Drafts in batches, then a sentence a step until the model has nothing new to say. As in the reference's program every call
encodes its pictures anew. Sentences end at a full stop: enough for the scenes' texts, and in favour of this side.
"""

import argparse
import os
import re
import time
from pathlib import Path

os.environ.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="0", KMP_BLOCKTIME="0")

import torch
from PIL import Image
from transformers import AutoTokenizer, BlipImageProcessor, InstructBlipForConditionalGeneration, PreTrainedTokenizerFast

INSTRUCTION = "Generate a question based on the content of the given image and then answer it."


class Model:
    def __init__(self, folder: Path, instruction: str) -> None:
        self.model = InstructBlipForConditionalGeneration.from_pretrained(folder).eval()
        self.tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<unk>", padding_side="left")
        qformer = folder / "qformer_tokenizer"
        self.qformer_tokenizer = AutoTokenizer.from_pretrained(qformer)
        self.instruction = instruction
        side = self.model.config.vision_config.image_size
        self.processor = BlipImageProcessor(size={"height": side, "width": side})

    @torch.inference_mode()
    def generate(self, pictures: list[Image.Image], prompts: list[str]) -> list[str]:
        pixels = self.processor(pictures, return_tensors="pt")["pixel_values"]
        text = self.tokenizer(prompts, padding=True, return_tensors="pt")
        qformer = self.qformer_tokenizer(prompts, padding=True, return_tensors="pt")
        image = self.model.config.image_token_id
        queries = self.model.config.num_query_tokens
        slots = torch.full((len(prompts), queries), image)
        ids = torch.cat([slots, text["input_ids"]], 1)
        mask = torch.cat([torch.ones_like(slots), text["attention_mask"]], 1)
        out = self.model.generate(
            pixel_values=pixels, qformer_input_ids=qformer["input_ids"],
            qformer_attention_mask=qformer["attention_mask"], input_ids=ids, attention_mask=mask,
            do_sample=False, num_beams=1, max_new_tokens=120,
        )
        if out.shape[1] > ids.shape[1]:
            out = out[:, ids.shape[1]:]
        return [text.strip() for text in self.tokenizer.batch_decode(out, skip_special_tokens=True)]


def sentences(text: str) -> list[str]:
    return re.findall(r"[^.?!]+[.?!]", text)


def run_batch(model: Model, pictures: list[Image.Image], steps: int) -> list[str | None]:
    """Corrected answers; none where a draft is no question and answer."""
    drafts = model.generate(pictures, [model.instruction] * len(pictures))
    pairs = [re.fullmatch(r"Question: (.*) Answer: (.*)", draft) for draft in drafts]
    open_ = {i: (pair.group(1), []) for i, pair in enumerate(pairs) if pair}
    done: dict[int, str] = {}
    for _ in range(steps):
        if not open_:
            break
        prompts = [
            f"{model.instruction} Question: {question} Answer:" + "".join(f" {part}" for part in said)
            for question, said in open_.values()
        ]
        texts = model.generate([pictures[i] for i in open_], prompts)
        for i, text in zip(list(open_), texts):
            said = open_[i][1]
            parts = [part.strip() for part in sentences(text)]
            new = [part for part in parts if part not in said]
            said += new[:1]
            if not new or parts.index(new[0]) + 1 == len(parts):
                done[i] = " ".join(open_.pop(i)[1])
    done |= {i: " ".join(said) for i, (_, said) in open_.items()}
    return [done.get(i) for i in range(len(pictures))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--instruction", default=INSTRUCTION)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = Model(options.model, options.instruction)
    files = sorted(file for file in options.pictures.iterdir() if file.suffix in (".png", ".jpg"))[: options.limit]
    start, answers = time.perf_counter(), []
    for first in range(0, len(files), options.batch):
        pictures = [Image.open(file).convert("RGB") for file in files[first : first + options.batch]]
        answers += run_batch(model, pictures, options.steps)
    seconds = time.perf_counter() - start
    rows = sum(answer is not None for answer in answers)
    print(f"{len(files)} pictures, {rows} rows, {seconds:.2f} s without loading; first: {answers[0]}")


if __name__ == "__main__":
    main()
