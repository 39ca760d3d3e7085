//! Finds where the names of a crate are defined, and the arrows between its files that follow from that.
//!
//! A file depends on the file that defines an item it names, not on those that hand the name on. What the types of
//! expressions tie together, such as the receiver of a method call, is not seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Graph;
use crate::modules::{Crate, Segments};

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    Module(usize),
    /// An item and the module that defines it.
    Item(usize, String),
}

/// A crate whose names can be looked up.
pub(crate) struct Resolver {
    modules: Crate,
    /// The modules with `impl` blocks for an item, and the names that these add.
    impls: BTreeMap<Found, Vec<(usize, BTreeSet<String>)>>,
}

/// Lookups under way: a module, a name, and whether the name is to contain others. `use judge::judge` looks up a module
/// and a function of one name.
type Visited = BTreeSet<(usize, String, bool)>;

impl Resolver {
    pub(crate) fn new(modules: Crate) -> Self {
        let mut resolver = Self { modules, impls: BTreeMap::new() };
        let mut impls: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, module) in resolver.modules.modules.iter().enumerate() {
            for (of, members) in &module.impls {
                for found in resolver.resolve(index, of) {
                    impls.entry(found).or_default().push((index, members.clone()));
                }
            }
        }
        resolver.impls = impls;
        resolver
    }

    /// What a path in a module leads to: an item, a module, several of them if they share a name, or nothing if the
    /// path leads out of the crate. What follows the name of an item, such as a variant, is ignored.
    pub(crate) fn resolve(&self, module: usize, path: &[String]) -> BTreeSet<Found> {
        self.resolve_within(module, path, &mut Visited::new())
    }

    fn resolve_within(
        &self,
        from: usize,
        path: &[String],
        visited: &mut Visited,
    ) -> BTreeSet<Found> {
        let mut rest = path;
        let mut start = None;
        while let [first, after @ ..] = rest {
            let here = start.unwrap_or(from);
            start = Some(match first.as_str() {
                "crate" => 0,
                "self" => here,
                "super" => match self.modules.modules[here].parent {
                    Some(parent) => parent,
                    None => return BTreeSet::new(),
                },
                _ => break,
            });
            rest = after;
        }
        let mut found = BTreeSet::new();
        match rest.split_first() {
            None => found.extend(start.map(Found::Module)),
            Some((first, after)) => {
                let is_container = !after.is_empty();
                for first in self.lookup(start.unwrap_or(from), first, is_container, visited) {
                    match first {
                        Found::Module(inner) if is_container => {
                            found.extend(self.resolve_within_module(inner, after, visited));
                        }
                        first => {
                            found.insert(first);
                        }
                    }
                }
            }
        }
        found
    }

    fn resolve_within_module(
        &self,
        module: usize,
        path: &[String],
        visited: &mut Visited,
    ) -> BTreeSet<Found> {
        let mut qualified = vec!["self".to_owned()];
        qualified.extend_from_slice(path);
        self.resolve_within(module, &qualified, visited)
    }

    /// What a name means in a module.
    fn lookup(
        &self,
        index: usize,
        name: &str,
        is_container: bool,
        visited: &mut Visited,
    ) -> BTreeSet<Found> {
        let mut found = BTreeSet::new();
        let this = (index, name.to_owned(), is_container);
        if !visited.insert(this.clone()) {
            return found;
        }
        let module = &self.modules.modules[index];
        found.extend(module.children.get(name).copied().map(Found::Module));
        if module.items.contains_key(name) {
            found.insert(Found::Item(index, name.to_owned()));
        }
        for import in &module.imports {
            if import.name.as_deref() == Some(name) {
                found.extend(self.resolve_within(index, &import.path, visited));
            }
        }
        if found.is_empty() {
            for import in module.imports.iter().filter(|import| import.name.is_none()) {
                for target in self.resolve_within(index, &import.path, visited) {
                    if let Found::Module(target) = target {
                        found.extend(self.lookup(target, name, is_container, visited));
                    }
                }
            }
        }
        visited.remove(&this);
        found
    }

    /// Whether a path is the name of something, whichever module it is seen from: a module, an item, or what belongs to
    /// an item.
    pub(crate) fn knows(&self, path: &[String]) -> bool {
        (0..self.modules.modules.len()).any(|module| self.knows_in(module, path))
    }

    /// Whether a path from a module leads to something, its last segment included.
    pub(crate) fn knows_in(&self, module: usize, path: &[String]) -> bool {
        if !self.resolve(module, path).is_empty() && self.is_whole(module, path) {
            return true;
        }
        let Some((last, before)) = path.split_last() else { return false };
        self.resolve(module, before).iter().any(|found| self.has_member(found, last))
    }

    /// Whether the last segment of a path is itself an item or a module.
    fn is_whole(&self, module: usize, path: &[String]) -> bool {
        let Some((_, before)) = path.split_last() else { return false };
        before.is_empty()
            || self.resolve(module, before).iter().any(|found| matches!(found, Found::Module(_)))
    }

    fn has_member(&self, found: &Found, name: &str) -> bool {
        let Found::Item(index, item) = found else { return false };
        let module = &self.modules.modules[*index];
        let aliased = module.aliases.get(item);
        module.items.get(item).is_some_and(|members| members.contains(name))
            || self.impls.get(found).into_iter().flatten().any(|(_, names)| names.contains(name))
            || aliased.is_some_and(|path| {
                self.resolve(*index, path)
                    .iter()
                    .any(|target| target != found && self.has_member(target, name))
            })
    }

    /// The arrows between the crate's modules that have files, each named by `label`.
    pub(crate) fn graph(&self, label: impl Fn(&Self, usize) -> Option<String>) -> Graph {
        let mut graph = Graph::default();
        let mut add = |from: usize, to: usize, name: &str| {
            if self.modules.modules[from].file != self.modules.modules[to].file
                && let (Some(from), Some(to)) = (label(self, from), label(self, to))
            {
                graph.add(&from, &to, name);
            }
        };
        for (index, module) in self.modules.modules.iter().enumerate() {
            for import in &module.imports {
                for found in self.resolve(index, &import.path) {
                    // A module is no item: what is named through it counts.
                    let Found::Item(to, name) = found else { continue };
                    if !(import.is_reexport && self.is_below(to, index)) {
                        add(index, to, &name);
                    }
                }
            }
            for path in &module.mentions {
                for (to, name) in self.definitions(index, path) {
                    add(index, to, &name);
                }
            }
        }
        graph
    }

    /// The modules that define what a path names: the item, and the method behind its name if an `impl` block elsewhere
    /// has it.
    fn definitions(&self, module: usize, path: &Segments) -> Vec<(usize, String)> {
        let mut definitions = Vec::new();
        for found in self.resolve(module, path) {
            let Found::Item(home, name) = &found else { continue };
            definitions.push((*home, name.clone()));
            let Some(last) = path.last().filter(|last| *last != name) else { continue };
            for (to, members) in self.impls.get(&found).into_iter().flatten() {
                if to != home && members.contains(last) {
                    definitions.push((*to, format!("{name}::{last}")));
                }
            }
        }
        definitions
    }

    fn is_below(&self, module: usize, ancestor: usize) -> bool {
        let parent = |index: &usize| self.modules.modules[*index].parent;
        std::iter::successors(Some(module), parent).skip(1).any(|above| above == ancestor)
    }

    /// The file of a module.
    pub(crate) fn file(&self, module: usize) -> String {
        self.modules.modules[module].file.display().to_string()
    }

    /// The names of the modules of the crate's root.
    pub(crate) fn tops(&self) -> BTreeSet<String> {
        self.modules.modules[0].children.keys().cloned().collect()
    }

    /// The module of the crate's root that a module belongs to.
    pub(crate) fn top(&self, module: usize) -> Option<String> {
        let parent = |index: &usize| self.modules.modules[*index].parent;
        let way: Vec<_> = std::iter::successors(Some(module), parent).collect();
        way.iter().rev().nth(1).map(|top| self.modules.modules[*top].name.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::modules::read_crate;

    /// A crate of the given files, the first of which is its root.
    fn resolver(files: &[(&str, &str)]) -> Resolver {
        let texts: BTreeMap<_, _> = files.iter().copied().collect();
        let read = |path: &Path| texts.get(path.to_str()?).map(|text| (*text).to_owned());
        Resolver::new(read_crate(Path::new(files[0].0), &read))
    }

    /// The arrows between files, as `a -> b (names)`.
    fn arrows(files: &[(&str, &str)]) -> Vec<String> {
        let graph = resolver(files).graph(|resolver, module| Some(resolver.file(module)));
        let pairs = graph.pairs();
        let arrows = pairs
            .iter()
            .map(|(from, to)| format!("{from} -> {to} ({})", graph.names(from, to).join(", ")));
        arrows.collect()
    }

    /// What `a.rs` depends on if it has the given text, beside `b.rs` with `B`, `make` and `Kind`, and `b/c.rs` with `C`.
    fn arrows_of(a: &str) -> Vec<String> {
        arrows(&[
            ("lib.rs", "mod a; mod b; pub use b::B;"),
            ("a.rs", a),
            (
                "b.rs",
                "pub mod c; pub use c::C; pub struct B; pub enum Kind { One } pub fn make() -> B { B }",
            ),
            (
                "b/c.rs",
                "pub struct C; impl C { pub fn new() -> Self { C } } pub const SEVEN: u8 = 7;",
            ),
        ])
    }

    #[test]
    fn uses_lead_to_the_defining_file() {
        assert_eq!(arrows_of("use crate::b::B;"), ["a.rs -> b.rs (B)"]);
        assert_eq!(
            arrows_of("use super::b::{B as Bee, c::{SEVEN}};"),
            ["a.rs -> b.rs (B)", "a.rs -> b/c.rs (SEVEN)"]
        );
        assert_eq!(
            arrows_of("use crate::B;"),
            ["a.rs -> b.rs (B)"],
            "through the root's re-export"
        );
        assert_eq!(arrows_of("use crate::b::C;"), ["a.rs -> b/c.rs (C)"], "through b's re-export");
        assert_eq!(arrows_of("use std::fmt::Debug; use b::B;"), [""; 0], "paths out of the crate");
    }

    #[test]
    fn a_module_is_no_item_but_what_is_named_through_it_is() {
        assert_eq!(arrows_of("use crate::b;"), [""; 0]);
        assert_eq!(
            arrows_of("use crate::b::{self}; fn a() { b::c::C::new(); }"),
            ["a.rs -> b/c.rs (C)"]
        );
        assert_eq!(arrows_of("use crate::b as other; type A = other::B;"), ["a.rs -> b.rs (B)"]);
    }

    #[test]
    fn paths_count_wherever_they_stand() {
        let b = ["a.rs -> b.rs (B)"];
        assert_eq!(arrows_of("struct A { b: Vec<Option<crate::b::B>> }"), b);
        assert_eq!(arrows_of("fn a() { let x = super::b::B; }"), b);
        assert_eq!(
            arrows_of("impl From<crate::B> for A { fn from(_: crate::B) -> A { A } } struct A;"),
            b
        );
        assert_eq!(
            arrows_of("fn a(kind: u8) { match kind { crate::b::c::SEVEN => {} _ => {} } }"),
            ["a.rs -> b/c.rs (SEVEN)"]
        );
        assert_eq!(
            arrows_of("fn a() { assert!(matches!(k(), crate::b::Kind::One), \"{}\", 1); }"),
            ["a.rs -> b.rs (Kind)"]
        );
        assert_eq!(
            arrows_of("fn a() { vec![x.make, crate::b::c::C::new()]; }"),
            ["a.rs -> b/c.rs (C)"]
        );
        assert_eq!(
            arrows_of("struct A { #[serde(default = \"crate::b::make\")] a: u8 }"),
            ["a.rs -> b.rs (make)"]
        );
        assert_eq!(arrows_of("trait A: Into<<crate::B as Iterator>::Item> {}"), b);
    }

    #[test]
    fn globs_are_followed() {
        assert_eq!(
            arrows_of("use crate::b::*; fn a() -> C { make(); C::new() }"),
            ["a.rs -> b.rs (make)", "a.rs -> b/c.rs (C)"]
        );
        assert_eq!(arrows_of("use crate::b::*;"), [""; 0], "a glob names nothing");
        assert_eq!(arrows_of("use crate::b::Kind::*;"), ["a.rs -> b.rs (Kind)"]);
    }

    #[test]
    fn variables_and_parameters_are_not_items() {
        assert_eq!(arrows_of("use crate::b::*; fn a(make: u8) -> u8 { make + 1 }"), [""; 0]);
        assert_eq!(arrows_of("use crate::b::*; fn a<B: Default>() -> B { B::default() }"), [""; 0]);
        assert_eq!(
            arrows_of("use crate::b::*; fn a() { let make = make(); }"),
            ["a.rs -> b.rs (make)"]
        );
    }

    #[test]
    fn tests_and_visibilities_are_left_out() {
        assert_eq!(arrows_of("#[cfg(test)] mod tests { use crate::B; }"), [""; 0]);
        assert_eq!(arrows_of("#[cfg(all(test, unix))] use crate::B;"), [""; 0]);
        assert_eq!(arrows_of("#[cfg(test)] mod no_such_file;"), [""; 0]);
        assert_eq!(arrows_of("#[test] fn a() { crate::b::make(); }"), [""; 0]);
        assert_eq!(arrows_of("#[cfg(any(test, unix))] use crate::B;"), ["a.rs -> b.rs (B)"]);
        assert_eq!(arrows_of("#[cfg(not(test))] use crate::B;"), ["a.rs -> b.rs (B)"]);
        assert_eq!(arrows_of("pub(in crate::b) struct A;"), [""; 0]);
    }

    #[test]
    fn a_parent_hands_on_what_its_children_define() {
        let parent =
            |text| arrows(&[("lib.rs", "mod p;"), ("p.rs", text), ("p/q.rs", "pub struct Q;")]);
        assert_eq!(parent("mod q; pub use q::Q;"), [""; 0]);
        assert_eq!(parent("mod q; pub use q::Q; struct P(Q);"), ["p.rs -> p/q.rs (Q)"]);
        assert_eq!(parent("mod q; use q::Q;"), ["p.rs -> p/q.rs (Q)"]);
    }

    #[test]
    fn a_re_export_of_another_branch_is_an_arrow() {
        assert_eq!(arrows_of("pub use crate::b::B;"), ["a.rs -> b.rs (B)"]);
    }

    #[test]
    fn files_of_modules_are_found_as_the_compiler_finds_them() {
        let files = [
            ("src/main.rs", "#[path = \"main/one.rs\"] mod one; mod two; mod three { mod four; }"),
            ("src/main/one.rs", "#[path = \"two.rs\"] mod inner; use inner::X;"),
            ("src/main/two.rs", "pub struct X;"),
            ("src/two/mod.rs", "use super::one::inner::X;"),
            ("src/three/four.rs", "fn four() -> super::super::one::X { todo!() }"),
        ];
        assert_eq!(
            arrows(&files),
            [
                "src/main/one.rs -> src/main/two.rs (X)",
                "src/three/four.rs -> src/main/two.rs (X)",
                "src/two/mod.rs -> src/main/two.rs (X)"
            ]
        );
    }

    #[test]
    fn methods_in_another_file_are_found_there() {
        let files = [
            ("lib.rs", "mod t; mod more; mod user;"),
            ("t.rs", "pub struct T; impl T { pub fn new() -> Self { T } }"),
            ("more.rs", "impl crate::t::T { pub fn other() {} }"),
            ("user.rs", "use crate::t::T; fn user() { T::new(); T::other(); }"),
        ];
        assert_eq!(
            arrows(&files),
            ["more.rs -> t.rs (T)", "user.rs -> more.rs (T::other)", "user.rs -> t.rs (T)"]
        );
    }

    #[test]
    fn circles_of_imports_end() {
        let files = [
            ("lib.rs", "mod x; mod y;"),
            ("x.rs", "pub use crate::y::*; pub use crate::y::Z;"),
            ("y.rs", "pub use crate::x::*; pub use crate::x::Z; struct Y(Z);"),
        ];
        assert_eq!(arrows(&files), [""; 0]);
    }

    #[test]
    fn a_function_and_a_module_may_share_a_name() {
        let files = [
            ("lib.rs", "mod judge; mod user; pub use judge::judge;"),
            ("judge.rs", "pub fn judge() {} pub struct Judge;"),
            ("user.rs", "use crate::judge; fn user() { judge(); }"),
        ];
        assert_eq!(arrows(&files), ["user.rs -> judge.rs (judge)"]);
    }

    #[test]
    fn top_level_modules_have_arrows_of_their_own() {
        let resolver = resolver(&[
            ("lib.rs", "mod a; mod b; fn root() -> a::A { a::A }"),
            ("a.rs", "mod inner; pub struct A;"),
            ("a/inner.rs", "use crate::b::B; use super::A;"),
            ("b.rs", "pub struct B;"),
        ]);
        let graph = resolver.graph(Resolver::top);
        assert_eq!(graph.lines(&resolver.tops()), "a -> b\nb\n");
    }

    #[test]
    fn pages_may_name_what_exists() {
        let resolver = resolver(&[
            ("lib.rs", "pub mod a;"),
            (
                "a.rs",
                "pub enum Kind { One } pub struct A { field: u8 } impl A { pub fn new() {} } type Alias = A;",
            ),
        ]);
        let knows =
            |path: &str| resolver.knows(&path.split("::").map(str::to_owned).collect::<Vec<_>>());
        for path in ["a::Kind", "Kind::One", "a::A::new", "A::field", "Alias::new", "a"] {
            assert!(knows(path), "{path}");
        }
        for path in ["a::Other", "Kind::Two", "A::old", "Alias::old", "b"] {
            assert!(!knows(path), "{path}");
        }
    }
}
