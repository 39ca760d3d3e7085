//! Requests, equal ones together.

use std::collections::HashMap;

use super::request::Fingerprint;
use super::{Parameters, Request};

/// A request, for all that are equal to it.
#[derive(Debug)]
pub(super) struct Job<'a> {
    /// The first of them.
    pub(super) request: &'a Request,
    pub(super) fingerprint: Fingerprint,
    pub(super) body: Vec<u8>,
}

/// The different requests, in their order.
#[derive(Debug)]
pub(super) struct Jobs<'a> {
    pub(super) list: Vec<Job<'a>>,
    /// The job of each request.
    pub(super) places: Vec<usize>,
}

impl<'a> Jobs<'a> {
    pub(super) fn new(requests: &'a [Request], parameters: &Parameters) -> Self {
        let mut known = HashMap::new();
        let mut jobs = Self { list: Vec::new(), places: Vec::new() };
        for request in requests {
            let body = request.body(parameters);
            let fingerprint = Fingerprint::new(&body, request.repeat);
            let place = *known.entry(fingerprint).or_insert(jobs.list.len());
            jobs.places.push(place);
            if place == jobs.list.len() {
                jobs.list.push(Job { request, fingerprint, body });
            }
        }
        jobs
    }
}
