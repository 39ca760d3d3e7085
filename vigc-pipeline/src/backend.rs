//! Devices by the name of their backend.
//!
//! Each backend is a Cargo feature: `flex`, `wgpu`, `vulkan`, `metal`, `cuda` or `rocm`. A name can therefore stand for a
//! backend that was not compiled in, or for one that this machine has no hardware for.

use burn::tensor::{Device, DeviceType};

use crate::{Error, Result};

/// The name of a backend and the type of its devices, if it was compiled in.
type Backend = (&'static str, Option<DeviceType>);

/// All backends, in the order in which [`default_device`] tries them.
fn backends() -> [Backend; 6] {
    [
        #[cfg(feature = "cuda")]
        ("cuda", Some(DeviceType::Cuda)),
        #[cfg(not(feature = "cuda"))]
        ("cuda", None),
        #[cfg(feature = "metal")]
        ("metal", Some(DeviceType::Metal)),
        #[cfg(not(feature = "metal"))]
        ("metal", None),
        #[cfg(feature = "rocm")]
        ("rocm", Some(DeviceType::Rocm)),
        #[cfg(not(feature = "rocm"))]
        ("rocm", None),
        #[cfg(feature = "vulkan")]
        ("vulkan", Some(DeviceType::Vulkan)),
        #[cfg(not(feature = "vulkan"))]
        ("vulkan", None),
        #[cfg(feature = "wgpu")]
        ("wgpu", Some(DeviceType::Wgpu)),
        #[cfg(not(feature = "wgpu"))]
        ("wgpu", None),
        #[cfg(feature = "flex")]
        ("flex", Some(DeviceType::Flex)),
        #[cfg(not(feature = "flex"))]
        ("flex", None),
    ]
}

/// The name and the first device of every backend that is compiled in and present, in the order `cuda`, `metal`, `rocm`,
/// `vulkan`, `wgpu`, `flex`.
#[must_use]
pub fn devices() -> Vec<(&'static str, Device)> {
    let found = backends().into_iter();
    found.filter_map(|(name, kind)| Some((name, first(kind?)?))).collect()
}

/// The first device of a backend.
///
/// # Errors
///
/// [`Error::Device`], with the devices that can be used, if there is no such backend, it was not compiled in, or
/// this machine has no device for it.
pub fn device(name: &str) -> Result<Device> {
    let fail = |problem| {
        let usable = devices().into_iter().map(|(name, _)| name).collect();
        Error::Device { name: name.to_owned(), problem, usable }
    };
    match backends().into_iter().find(|(known, _)| *known == name) {
        None => Err(fail("is unknown")),
        Some((_, None)) => Err(fail("was not compiled in (it is a Cargo feature)")),
        Some((_, Some(kind))) => first(kind).ok_or_else(|| fail("has no hardware on this machine")),
    }
}

/// The device of the first backend that is compiled in and has hardware. The order is `cuda`, `metal`, `rocm`, `vulkan`,
/// `wgpu`, `flex`.
///
/// # Errors
///
/// [`Error::Device`] if there is no such backend.
pub fn default_device() -> Result<Device> {
    let found = backends().into_iter().find_map(|(_, kind)| first(kind?));
    found.ok_or(Error::Device {
        name: "default".to_owned(),
        problem: "does not exist, because no backend was compiled in that has hardware on this machine",
        usable: Vec::new(),
    })
}

fn first(kind: DeviceType) -> Option<Device> {
    Device::enumerate(kind).into_iter().next()
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;

    #[test]
    fn errors_name_what_can_be_used() {
        assert!(device("flex").is_ok() && default_device().is_ok());
        assert!(devices().iter().any(|(name, _)| *name == "flex"));
        let error = device("abacus").unwrap_err().to_string();
        assert!(error.contains("\"abacus\" is unknown") && error.contains("flex"), "{error}");
    }

    #[cfg(not(feature = "rocm"))]
    #[test]
    fn a_backend_can_be_left_out() {
        let error = device("rocm").unwrap_err().to_string();
        assert!(error.contains("was not compiled in") && error.contains("flex"), "{error}");
    }
}
