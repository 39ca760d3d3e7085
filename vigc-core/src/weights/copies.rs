//! Modules that a file holds under two names.

use burn_store::bridge;
use burn_store::burn_pack::Tensor as StoredTensor;

use super::Checkpoint;
use crate::{Error, Result};

impl Checkpoint {
    /// Gives the tensors below `from` the names below `to`, of which PyTorch saves both when a module was registered
    /// twice.
    ///
    /// A tensor that is in both places is a copy below `from`: it is dropped, and counted by [`Checkpoint::copies`]. The
    /// values of those whose names `compared` picks are read and compared, of the others shape and type.
    ///
    /// # Errors
    ///
    /// [`Error::Copy`] if a copy differs from its original, [`Error::Apply`] if one cannot be read.
    pub fn unify(mut self, from: &str, to: &str, compared: impl Fn(&str) -> bool) -> Result<Self> {
        let below = |name: &&String| name.strip_prefix(from).is_some_and(|r| r.starts_with('.'));
        let names: Vec<_> = self.tensors.keys().filter(below).cloned().collect();
        for name in names {
            let original = format!("{to}{}", &name[from.len()..]);
            let Some(tensor) = self.tensors.remove(&name) else { continue };
            let Some(kept) = self.tensors.get(&original) else {
                self.tensors.insert(original, tensor);
                continue;
            };
            if let Some(difference) = self.difference(kept, &tensor, compared(&name))? {
                let path = self.path;
                return Err(Error::Copy { path, copy: name, original, difference });
            }
            self.copies.push(name);
        }
        Ok(self)
    }

    /// The copies that [`Checkpoint::unify`] dropped, under their names in the file.
    #[must_use]
    pub fn copies(&self) -> &[String] {
        &self.copies
    }

    fn difference(
        &self,
        kept: &StoredTensor,
        copy: &StoredTensor,
        values: bool,
    ) -> Result<Option<String>> {
        let (expected, found) = (kept.shape.as_slice(), copy.shape.as_slice());
        if expected != found {
            return Ok(Some(format!("has the shape {found:?}, expected {expected:?}")));
        }
        if kept.dtype != copy.dtype {
            return Ok(Some(format!("is {:?}, expected {:?}", copy.dtype, kept.dtype)));
        }
        if !values {
            return Ok(None);
        }
        let read = |tensor: &StoredTensor| {
            let fail = |source| Error::Apply {
                path: self.path.clone(),
                reason: format!("{}: {source}", tensor.name),
            };
            bridge::to_data(tensor).map_err(fail)
        };
        let same = read(kept)?.as_bytes() == read(copy)?.as_bytes();
        Ok((!same).then(|| "has other values".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::weights::save_tensors;

    fn unified(tensors: &[(&str, &[f32])]) -> Result<Checkpoint> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("twice.safetensors");
        let stored = |(name, values): &(&str, &[f32])| {
            ((*name).to_owned(), TensorData::new(values.to_vec(), [values.len()]))
        };
        save_tensors(tensors.iter().map(stored).collect(), &path).unwrap();
        Checkpoint::open(&path)?.unify("b.inner", "a", |name| name.ends_with("small"))
    }

    #[test]
    fn a_module_under_two_names_is_one() {
        // Values that are not compared may differ: these are taken for large.
        let tensors: [(&str, &[f32]); 6] = [
            ("a.small", &[1.0]),
            ("b.inner.small", &[1.0]),
            ("a.large", &[1.0]),
            ("b.inner.large", &[2.0]),
            ("b.inner.only", &[3.0]),
            ("b.innermost", &[4.0]),
        ];
        let checkpoint = unified(&tensors).unwrap();
        assert!(checkpoint.keys().eq(["a.large", "a.only", "a.small", "b.innermost"]));
        assert_eq!(checkpoint.copies(), ["b.inner.large", "b.inner.small"]);
    }

    #[test]
    fn a_copy_that_differs_is_named() {
        let cases: [(&str, &str, &[f32], &str); 2] = [
            ("a.small", "b.inner.small", &[2.0], "has other values"),
            ("a.large", "b.inner.large", &[1.0, 2.0], "has the shape [2], expected [1]"),
        ];
        for (original, copy, values, expected) in cases {
            let error = unified(&[(original, &[1.0]), (copy, values)]).unwrap_err().to_string();
            let names = [original, copy, "twice.safetensors", expected];
            assert!(names.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
