//! Files that are damaged, or made to do damage: each ends in an error that names it.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use burn::tensor::Device;
use vigc_core::weights::Checkpoint;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file, or a folder of them, and a part of the error that opening it and reading `w` gives.
struct Case {
    name: &'static str,
    files: Vec<(String, Vec<u8>)>,
    error: &'static str,
}

fn case(name: &'static str, error: &'static str, bytes: impl Into<Vec<u8>>) -> Case {
    Case { name, files: vec![(name.to_owned(), bytes.into())], error }
}

/// A safetensors file with this header, however long it says that the header is, and data behind it.
fn safetensors(length: Option<u64>, header: &str, data: usize) -> Vec<u8> {
    let length = length.unwrap_or(header.len() as u64);
    [&length.to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

fn described(dtype: &str, shape: &str, offsets: &str) -> String {
    format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
}

fn of_safetensors() -> Vec<Case> {
    let file = |header: &str, data| safetensors(None, header, data);
    let two = |second: &str| {
        let first = r#""v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
        file(&format!("{{{first},{second}}}"), 12)
    };
    vec![
        case("empty.safetensors", "header too small", ""),
        case("seven-bytes.safetensors", "header too small", [1; 7]),
        case("no-header.safetensors", "EOF while parsing", 0u64.to_le_bytes()),
        case(
            "long-header.safetensors",
            "invalid header length",
            safetensors(Some(1 << 20), "{}", 0),
        ),
        case("huge-header.safetensors", "header too large", safetensors(Some(u64::MAX), "{}", 0)),
        case("not-json.safetensors", "invalid JSON in header", file("{\"w\"", 0)),
        case(
            "not-utf8.safetensors",
            "invalid UTF-8 in header",
            [&4u64.to_le_bytes()[..], &[0xff; 4]].concat(),
        ),
        case("list.safetensors", "invalid type: sequence", file("[]", 0)),
        case(
            "unknown-type.safetensors",
            "unknown variant `F12`",
            file(&described("F12", "[2]", "[0,8]"), 8),
        ),
        case(
            "too-few-bytes.safetensors",
            "file not fully covered",
            file(&described("F32", "[2]", "[0,8]"), 7),
        ),
        case(
            "too-many-bytes.safetensors",
            "file not fully covered",
            file(&described("F32", "[2]", "[0,8]"), 9),
        ),
        case(
            "other-size.safetensors",
            "invalid shape, data type, or offset",
            file(&described("F32", "[3]", "[0,8]"), 8),
        ),
        case(
            "backwards.safetensors",
            "invalid offset for tensor `w`",
            file(&described("F32", "[2]", "[8,0]"), 8),
        ),
        case("negative.safetensors", "integer `-8`", file(&described("F32", "[2]", "[-8,0]"), 8)),
        case(
            "beyond.safetensors",
            "invalid offset for tensor `w`",
            file(&described("F32", "[2]", "[8,16]"), 8),
        ),
        case(
            "overflow.safetensors",
            "overflow computing buffer size",
            file(&described("F32", "[4611686018427387904,4]", "[0,8]"), 8),
        ),
        case(
            "overlap.safetensors",
            "invalid offset for tensor `w`",
            two(r#""w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}"#),
        ),
        case(
            "gap.safetensors",
            "invalid offset for tensor `w`",
            two(r#""w":{"dtype":"F32","shape":[0],"data_offsets":[12,12]}"#),
        ),
    ]
}

/// What `torch.save({"w": …})` pickles: a view of a storage of `numel` f32.
fn pickle(numel: u8, offset: u8, shape: u8, stride: u8) -> Vec<u8> {
    let mut bytes = b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((".to_vec();
    bytes.extend(b"X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK");
    bytes.extend([numel]);
    bytes.extend(b"tQK");
    bytes.extend([offset, b'K', shape, 0x85, b'K', stride, 0x85, 0x89]);
    bytes.extend(b"ccollections\nOrderedDict\n)RtRs.");
    bytes
}

fn archive(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(format!("archive/{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn saved(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    let entries = [("data.pkl", pickle), ("data/0", storage), ("version", b"3\n")];
    archive(&entries, CompressionMethod::Stored)
}

fn of_pytorch() -> Vec<Case> {
    let whole = saved(&pickle(2, 0, 2, 1), &[0; 8]);
    let broken = |pickle: &[u8]| saved(pickle, &[0; 8]);
    let nested = [&b"\x80\x02"[..], &b"(".repeat(1 << 20), &b"t".repeat(1 << 20), b"."].concat();
    let lists =
        [&b"\x80\x02"[..], &b"]".repeat(1 << 20), &b"a".repeat((1 << 20) - 1), b"."].concat();
    let mut wrong_sum = whole.clone();
    let at = wrong_sum.windows(8).position(|eight| eight == [0; 8]).unwrap();
    wrong_sum[at] = 1;
    vec![
        case("empty.pth", "not a PyTorch checkpoint", ""),
        case("text.pth", "not a PyTorch checkpoint", "not a pickle"),
        case("torn.pth", "Could not find EOCD", &whole[..whole.len() / 2]),
        case("no-directory.pth", "Could not find EOCD", &whole[..whole.len() - 22]),
        case(
            "no-pickle.pth",
            "No data.pkl entry",
            archive(&[("version", b"3\n")], CompressionMethod::Stored),
        ),
        case("no-storage.pth", "'archive/data/0': not found", {
            archive(&[("data.pkl", &pickle(2, 0, 2, 1))], CompressionMethod::Stored)
        }),
        case("short-storage.pth", "only 1 are available", saved(&pickle(2, 0, 2, 1), &[0; 4])),
        case("view-beyond.pth", "but storage '0' declares 2", saved(&pickle(2, 1, 2, 1), &[0; 8])),
        case("stride-beyond.pth", "needs 201 elements", saved(&pickle(2, 0, 2, 200), &[0; 8])),
        case("big-endian.pth", "Big-endian", {
            let entries: [(&str, &[u8]); 3] =
                [("data.pkl", &pickle(2, 0, 2, 1)), ("data/0", &[0; 8]), ("byteorder", b"big")];
            archive(&entries, CompressionMethod::Stored)
        }),
        case(
            "runs-a-command.pth",
            "root is not a dictionary",
            broken(b"\x80\x02cos\nsystem\nX\x04\0\0\0true\x85R."),
        ),
        case("unknown-opcode.pth", "opcode: 0xff", broken(b"\x80\x02\xff.")),
        case("protocol-nine.pth", "protocol version: 9", broken(b"\x80\x09}.")),
        case("no-stop.pth", "failed to fill whole buffer", broken(b"\x80\x02}")),
        case("empty-stack.pth", "stack underflow", broken(b"\x80\x02s.")),
        case("no-memo.pth", "memo reference 5", broken(b"\x80\x02h\x05.")),
        case("a-number.pth", "root is not a dictionary", broken(b"\x80\x02K\x05.")),
        case(
            "a-long-string.pth",
            "expected 2147483647 bytes, found 2",
            broken(b"\x80\x02X\xff\xff\xff\x7fw."),
        ),
        case(
            "a-longer-string.pth",
            "bytes, found 2",
            broken(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fw."),
        ),
        case("deep-tuples.pth", "nesting exceeds 1000 levels", broken(&nested)),
        case("deep-lists.pth", "nesting exceeds 1000 levels", broken(&lists)),
        case("changed.pth", "Invalid checksum", wrong_sum),
    ]
}

fn of_folders() -> Vec<Case> {
    let index = |name: &'static str, error, text: &str| Case {
        name,
        files: vec![(format!("{name}/model.safetensors.index.json"), text.into())],
        error,
    };
    vec![
        Case {
            name: "nothing",
            files: vec![("nothing/readme.txt".to_owned(), vec![])],
            error: "holds no weights",
        },
        index("index-torn", "EOF while parsing", r#"{"weight_map": {"#),
        index("index-other", "missing field `weight_map`", r#"{"weights": {}}"#),
        index("index-list", "expected a map", r#"{"weight_map": ["a"]}"#),
        index(
            "shard-above",
            "\"../a.safetensors\", expected the name of a file",
            r#"{"weight_map": {"w": "../a.safetensors"}}"#,
        ),
        index(
            "shard-absolute",
            "\"/etc/passwd\", expected the name",
            r#"{"weight_map": {"w": "/etc/passwd"}}"#,
        ),
        index("shard-parent", "\"..\", expected the name", r#"{"weight_map": {"w": ".."}}"#),
        index("shard-empty", "\"\", expected the name", r#"{"weight_map": {"w": ""}}"#),
        index("shard-missing", "cannot read", r#"{"weight_map": {"w": "a.safetensors"}}"#),
        index("no-shards", "holds no weights", r#"{"weight_map": {}}"#),
    ]
}

/// An error with all its causes, as a program shows it.
pub(crate) fn shown(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[test]
fn every_broken_file_ends_in_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let cases: Vec<_> =
        [of_safetensors(), of_pytorch(), of_folders()].into_iter().flatten().collect();
    assert!(cases.len() >= 40, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        for (name, bytes) in &case.files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new(""))).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let path = folder.path().join(case.name);
        let read =
            Checkpoint::open(&path).and_then(|file| file.tensor::<1>("w", &Device::default()));
        match read {
            Ok(tensor) => wrong.push(format!("{}: read {tensor}", case.name)),
            Err(error) => {
                let text = shown(&error);
                if !text.contains(case.name) || !text.contains(case.error) {
                    wrong.push(format!("{}: {text}", case.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn of_an_archive_that_unpacks_to_far_more_only_what_is_needed_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.pth");
    let zeros = vec![0; 1 << 26];
    let entries: [(&str, &[u8]); 2] = [("data.pkl", &pickle(2, 0, 2, 1)), ("data/0", &zeros)];
    let bytes = archive(&entries, CompressionMethod::Deflated);
    assert!(bytes.len() < 1 << 18, "{} bytes", bytes.len());
    fs::write(&path, bytes).unwrap();
    let read = Checkpoint::open(&path).unwrap().tensor::<1>("w", &Device::default()).unwrap();
    assert_eq!(read.dims(), [2]);
}
