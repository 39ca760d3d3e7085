//! `Checkpoint` over a PyTorch file: the input as the file, whatever it is, and as the `data.pkl` of an
//! archive that is whole. No mutation keeps an archive's sums right, so only the latter gets far.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fuzz_target!(|bytes: &[u8]| {
    vigc_fuzz::read_tensors(&vigc_fuzz::write("weights.pth", bytes));
    if !bytes.starts_with(b"PK") {
        vigc_fuzz::read_tensors(&vigc_fuzz::write("archive.pth", &archive(bytes)));
    }
});

/// What `torch.save` writes, with storages of 256 bytes.
fn archive(pickle: &[u8]) -> Vec<u8> {
    let storage = [1; 256];
    let entries: [(&str, &[u8]); 4] =
        [("data.pkl", pickle), ("data/0", &storage), ("data/1", &storage), ("version", b"3\n")];
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(format!("archive/{name}"), options).expect("a new entry");
        zip.write_all(bytes).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}
