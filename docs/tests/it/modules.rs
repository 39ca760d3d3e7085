//! The modules of a crate, read from its sources: what each defines, imports and mentions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::{Attribute, Item, UseTree, Visibility};

use crate::mentions::mentions;

/// A path as it is written: `crate::prompt::QaText` is three segments.
pub(crate) type Segments = Vec<String>;

/// A crate: its modules, of which the first is the root.
#[derive(Default)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
}

/// A module, in a file of its own or inline.
#[derive(Default)]
pub(crate) struct Module {
    pub(crate) parent: Option<usize>,
    /// The name, empty for the root.
    pub(crate) name: String,
    /// The file that the module is written in.
    pub(crate) file: PathBuf,
    pub(crate) children: BTreeMap<String, usize>,
    /// What the module defines, and the variants, fields, methods and constants of each.
    pub(crate) items: BTreeMap<String, BTreeSet<String>>,
    /// What the type aliases among the items stand for.
    pub(crate) aliases: BTreeMap<String, Segments>,
    /// What `impl` blocks in this module add to types: the type as it is written, and the names.
    pub(crate) impls: Vec<(Segments, BTreeSet<String>)>,
    pub(crate) imports: Vec<Import>,
    /// Paths in the module's items.
    pub(crate) mentions: BTreeSet<Segments>,
}

/// A name that a `use` brings into a module.
pub(crate) struct Import {
    /// The name, or `None` for all names of what the path leads to.
    pub(crate) name: Option<String>,
    pub(crate) path: Segments,
    /// Whether the name is handed on: `pub use`, `pub(crate) use`.
    pub(crate) is_reexport: bool,
}

/// Reads a crate.
///
/// # Panics
///
/// If a file is missing or is not Rust.
pub(crate) fn read_crate(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Crate {
    let mut reader = Reader { read, found: Crate::default() };
    let children = root.parent().expect("a root file is in a folder").to_owned();
    reader.file(root, &children, None, "");
    reader.found
}

struct Reader<'a> {
    read: &'a dyn Fn(&Path) -> Option<String>,
    found: Crate,
}

impl Reader<'_> {
    /// Reads a module in a file of its own, whose modules are files in the folder `children`.
    fn file(&mut self, file: &Path, children: &Path, parent: Option<usize>, name: &str) -> usize {
        let text = (self.read)(file).unwrap_or_else(|| panic!("{}: no such file", file.display()));
        let parsed =
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.module(&parsed.items, file, children, parent, name)
    }

    fn module(
        &mut self,
        items: &[Item],
        file: &Path,
        children: &Path,
        parent: Option<usize>,
        name: &str,
    ) -> usize {
        let index = self.found.modules.len();
        let name = name.to_owned();
        self.found.modules.push(Module {
            parent,
            name,
            file: file.to_owned(),
            ..Module::default()
        });
        for item in items {
            if is_for_tests(attributes(item)) {
                continue;
            }
            if let Item::Mod(inner) = item {
                let name = inner.ident.to_string();
                let child = match &inner.content {
                    Some((_, items)) => {
                        self.module(items, file, &children.join(&name), Some(index), &name)
                    }
                    None => self.declared(&inner.attrs, file, children, index, &name),
                };
                self.found.modules[index].children.insert(name, child);
            } else {
                self.found.modules[index].add(item);
            }
        }
        index
    }

    /// Reads the file of a `mod name;`.
    fn declared(
        &mut self,
        attributes: &[Attribute],
        file: &Path,
        children: &Path,
        parent: usize,
        name: &str,
    ) -> usize {
        if let Some(path) = path_attribute(attributes) {
            let folder = file.parent().expect("a file is in a folder");
            let path = folder.join(path);
            let children = path.parent().expect("a file is in a folder").to_owned();
            return self.file(&path, &children, Some(parent), name);
        }
        let plain = children.join(name).with_extension("rs");
        let path = match (self.read)(&plain) {
            Some(_) => plain,
            None => children.join(name).join("mod.rs"),
        };
        self.file(&path, &children.join(name), Some(parent), name)
    }
}

impl Module {
    fn add(&mut self, item: &Item) {
        let (name, members) = match item {
            Item::Use(item) => {
                let is_reexport = !matches!(item.vis, Visibility::Inherited);
                self.imports.extend(imports(&item.tree, is_reexport));
                return;
            }
            Item::Impl(item) => {
                let members = item.items.iter().filter_map(|item| match item {
                    syn::ImplItem::Fn(item) => Some(item.sig.ident.to_string()),
                    syn::ImplItem::Const(item) => Some(item.ident.to_string()),
                    syn::ImplItem::Type(item) => Some(item.ident.to_string()),
                    _ => None,
                });
                if let syn::Type::Path(of) = &*item.self_ty {
                    self.impls.push((segments(&of.path), members.collect()));
                }
                (None, BTreeSet::new())
            }
            Item::Enum(item) => {
                let variants = item.variants.iter().map(|variant| variant.ident.to_string());
                (Some(&item.ident), variants.collect())
            }
            Item::Struct(item) => {
                let fields = item.fields.iter().filter_map(|field| field.ident.as_ref());
                (Some(&item.ident), fields.map(ToString::to_string).collect())
            }
            Item::Trait(item) => {
                let members = item.items.iter().filter_map(|item| match item {
                    syn::TraitItem::Fn(item) => Some(item.sig.ident.to_string()),
                    syn::TraitItem::Const(item) => Some(item.ident.to_string()),
                    syn::TraitItem::Type(item) => Some(item.ident.to_string()),
                    _ => None,
                });
                (Some(&item.ident), members.collect())
            }
            Item::Const(item) => (Some(&item.ident), BTreeSet::new()),
            Item::Fn(item) => (Some(&item.sig.ident), BTreeSet::new()),
            Item::Macro(item) => (item.ident.as_ref(), BTreeSet::new()),
            Item::Static(item) => (Some(&item.ident), BTreeSet::new()),
            Item::Type(item) => {
                if let syn::Type::Path(of) = &*item.ty {
                    self.aliases.insert(item.ident.to_string(), segments(&of.path));
                }
                (Some(&item.ident), BTreeSet::new())
            }
            Item::Union(item) => (Some(&item.ident), BTreeSet::new()),
            _ => (None, BTreeSet::new()),
        };
        if let Some(name) = name {
            self.items.insert(name.to_string(), members);
        }
        let found = mentions(item);
        self.mentions.extend(found.paths);
        self.imports.extend(found.imports);
    }
}

/// The segments of a path, without generic arguments.
pub(crate) fn segments(path: &syn::Path) -> Segments {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// The names that a tree of `use` brings in.
pub(crate) fn imports(tree: &UseTree, is_reexport: bool) -> Vec<Import> {
    fn walk(tree: &UseTree, before: &Segments, is_reexport: bool, imports: &mut Vec<Import>) {
        let with = |name: String| {
            let mut path = before.clone();
            // `use path::{self}` names the path.
            if name != "self" || path.is_empty() {
                path.push(name);
            }
            path
        };
        match tree {
            UseTree::Path(tree) => {
                walk(&tree.tree, &with(tree.ident.to_string()), is_reexport, imports);
            }
            UseTree::Name(tree) => {
                let path = with(tree.ident.to_string());
                imports.push(Import { name: path.last().cloned(), path, is_reexport });
            }
            UseTree::Rename(tree) => {
                let name = Some(tree.rename.to_string());
                imports.push(Import { name, path: with(tree.ident.to_string()), is_reexport });
            }
            UseTree::Glob(_) => {
                imports.push(Import { name: None, path: before.clone(), is_reexport });
            }
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    walk(tree, before, is_reexport, imports);
                }
            }
        }
    }
    let mut found = Vec::new();
    walk(tree, &Segments::new(), is_reexport, &mut found);
    found
}

/// The attributes of an item of a module.
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Whether attributes leave an item out of everything but tests.
pub(crate) fn is_for_tests(attributes: &[Attribute]) -> bool {
    fn needs_test(condition: &syn::Meta) -> bool {
        let parts = |list: &syn::MetaList| {
            let parse = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
            list.parse_args_with(parse)
                .map(|parts| parts.iter().map(needs_test).collect::<Vec<_>>())
        };
        match condition {
            syn::Meta::Path(path) => path.is_ident("test") || path.is_ident("doctest"),
            syn::Meta::List(list) if list.path.is_ident("all") => {
                parts(list).is_ok_and(|parts| parts.contains(&true))
            }
            syn::Meta::List(list) if list.path.is_ident("any") => {
                parts(list).is_ok_and(|parts| !parts.contains(&false))
            }
            _ => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args().is_ok_and(|condition| needs_test(&condition))
    })
}

/// The value of `#[path = "…"]`.
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    let value = attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => Some(&pair.value),
        _ => None,
    })?;
    match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
        _ => None,
    }
}
