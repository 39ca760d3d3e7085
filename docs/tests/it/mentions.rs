//! The paths that an item mentions: in types, expressions, patterns, bounds, macros and serde's attributes.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::modules::{Import, Segments, imports, is_for_tests, segments};

/// What an item mentions.
#[derive(Default)]
pub(crate) struct Mentions {
    pub(crate) paths: BTreeSet<Segments>,
    /// What a `use` inside a function brings in.
    pub(crate) imports: Vec<Import>,
}

/// Reads an item. A name that the item itself binds, such as a variable or a type parameter, is not mentioned unless it
/// is called.
pub(crate) fn mentions(item: &syn::Item) -> Mentions {
    let mut bound = Bound::default();
    bound.visit_item(item);
    let mut reader = Reader { bound: bound.0, found: Mentions::default() };
    reader.visit_item(item);
    reader.found
}

/// Names that an item binds: variables, type parameters and items inside functions.
#[derive(Default)]
struct Bound(BTreeSet<String>);

fn starts_lowercase(name: &str) -> bool {
    !name.starts_with(char::is_uppercase)
}

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        // A pattern of one capitalized word is a constant or a variant.
        if starts_lowercase(&pattern.ident.to_string()) {
            self.0.insert(pattern.ident.to_string());
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_generic_param(&mut self, parameter: &'ast syn::GenericParam) {
        match parameter {
            syn::GenericParam::Type(parameter) => self.0.insert(parameter.ident.to_string()),
            syn::GenericParam::Const(parameter) => self.0.insert(parameter.ident.to_string()),
            syn::GenericParam::Lifetime(_) => false,
        };
    }
}

struct Reader {
    bound: BTreeSet<String>,
    found: Mentions,
}

impl Reader {
    fn mention(&mut self, path: Segments, is_called: bool) {
        let is_bound = path.first().is_some_and(|first| self.bound.contains(first));
        let is_variable = path.len() == 1 && !is_called;
        let is_parameter = path.first().is_some_and(|first| !starts_lowercase(first));
        if !(is_bound && (is_variable || is_parameter)) {
            self.found.paths.insert(path);
        }
    }

    /// Reads the tokens of a macro, in which every `a::b` counts as a path.
    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |at: usize, wanted: char| matches!(tokens.get(at), Some(TokenTree::Punct(found)) if found.as_char() == wanted);
        let joins = |at: usize| is(at, ':') && is(at + 1, ':');
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) => {
                    let start = at - 1;
                    let mut path = vec![first.to_string()];
                    while joins(at) && matches!(tokens.get(at + 2), Some(TokenTree::Ident(_))) {
                        path.push(tokens[at + 2].to_string());
                        at += 3;
                    }
                    let after = |wanted| start >= 1 && is(start - 1, wanted);
                    let is_member = after('.') && !(start >= 2 && is(start - 2, '.'));
                    let is_rest = start >= 2 && joins(start - 2);
                    let names_a_value = path.len() == 1
                        && (is(at, ':') && !joins(at) || is(at, '=') && !is(at + 1, '='));
                    if !(is_member || is_rest || after('\'') || names_a_value) {
                        let is_called = matches!(tokens.get(at), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                        self.mention(path, is_called);
                    }
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.mention(segments(path), false);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func
            && function.qself.is_none()
            && function.path.segments.len() == 1
        {
            self.mention(segments(&function.path), true);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        if !starts_lowercase(&pattern.ident.to_string()) {
            self.mention(vec![pattern.ident.to_string()], false);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr_path(&mut self, expression: &'ast syn::ExprPath) {
        match &expression.qself {
            // `<Type>::name`: the name alone is no path.
            Some(of) if of.position == 0 => self.visit_type(&of.ty),
            _ => visit::visit_expr_path(self, expression),
        }
    }

    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        match &path.qself {
            Some(of) if of.position == 0 => self.visit_type(&of.ty),
            _ => visit::visit_type_path(self, path),
        }
    }

    fn visit_macro(&mut self, invoked: &'ast syn::Macro) {
        self.mention(segments(&invoked.path), false);
        self.tokens(invoked.tokens.clone());
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.found.imports.extend(imports(&item.tree, false));
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        // Modules inside functions do not occur outside tests.
        if !matches!(item, syn::Item::Mod(_)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes: &[syn::Attribute] = match item {
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Const(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        const PATHS: [&str; 9] = [
            "with",
            "default",
            "serialize_with",
            "deserialize_with",
            "skip_serializing_if",
            "try_from",
            "from",
            "into",
            "remote",
        ];
        if !attribute.path().is_ident("serde") {
            return;
        }
        let parsed = attribute.parse_nested_meta(|meta| {
            if meta.input.peek(syn::Token![=]) {
                let value: syn::Lit = meta.value()?.parse()?;
                if let syn::Lit::Str(path) = value
                    && PATHS.iter().any(|name| meta.path.is_ident(name))
                    && let Ok(path) = path.parse::<syn::Path>()
                {
                    self.mention(segments(&path), true);
                }
            } else if meta.input.peek(syn::token::Paren) {
                meta.parse_nested_meta(|inner| inner.value()?.parse::<syn::Lit>().map(|_| ()))?;
            }
            Ok(())
        });
        parsed.expect("serde's attributes are lists");
    }
}
