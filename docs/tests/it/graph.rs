//! Directed graphs whose arrows carry names, and the circles in them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

/// Arrows from a node to other nodes, each with the names that make it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Graph {
    arrows: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Graph {
    /// Adds an arrow, or a name to an arrow. A node has no arrow to itself.
    pub(crate) fn add(&mut self, from: &str, to: &str, name: &str) {
        if from != to {
            let arrows = self.arrows.entry(from.to_owned()).or_default();
            arrows.entry(to.to_owned()).or_default().insert(name.to_owned());
        }
    }

    /// All arrows as pairs of nodes.
    pub(crate) fn pairs(&self) -> BTreeSet<(String, String)> {
        let arrows = self.arrows.iter();
        arrows.flat_map(|(from, to)| to.keys().map(|to| (from.clone(), to.clone()))).collect()
    }

    /// The names that make an arrow.
    pub(crate) fn names(&self, from: &str, to: &str) -> Vec<&str> {
        let names = self.arrows.get(from).and_then(|arrows| arrows.get(to));
        names.into_iter().flatten().map(String::as_str).collect()
    }

    /// One line a node with its arrows, as `docs/architecture.md` lists them.
    pub(crate) fn lines(&self, nodes: &BTreeSet<String>) -> String {
        let line = |node: &String| {
            let to: Vec<_> = self.after(node).map(String::as_str).collect();
            match to.as_slice() {
                [] => format!("{node}\n"),
                to => format!("{node} -> {}\n", to.join(", ")),
            }
        };
        nodes.iter().map(line).collect()
    }

    /// A shortest circle through each group of nodes that reach each other, described with the names that tie it.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut described = BTreeSet::new();
        let mut circles = Vec::new();
        for node in self.arrows.keys() {
            if described.contains(node) {
                continue;
            }
            let Some(circle) = self.shortest_circle(node) else { continue };
            let reached = self.reached_from(node);
            let group: Vec<_> = reached
                .into_iter()
                .filter(|other| self.reached_from(other).contains(node))
                .collect();
            let mut text = format!("{} files or modules reach each other:", group.len());
            for pair in circle.windows(2) {
                let names = self.names(&pair[0], &pair[1]).join(", ");
                write!(text, "\n    {} -> {} ({names})", pair[0], pair[1]).expect("a string");
            }
            let others: Vec<_> = group.iter().filter(|node| !circle.contains(node)).collect();
            if !others.is_empty() {
                let others: Vec<_> = others.into_iter().map(String::as_str).collect();
                write!(text, "\n    and: {}", others.join(", ")).expect("a string");
            }
            described.extend(group);
            circles.push(text);
        }
        circles
    }

    fn after<'a>(&'a self, node: &str) -> impl Iterator<Item = &'a String> + use<'a> {
        self.arrows.get(node).into_iter().flat_map(BTreeMap::keys)
    }

    fn reached_from(&self, node: &str) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<_> = self.after(node).collect();
        while let Some(next) = open.pop() {
            if reached.insert(next.clone()) {
                open.extend(self.after(next));
            }
        }
        reached
    }

    /// The shortest way from a node back to itself, which begins and ends with the node.
    fn shortest_circle(&self, node: &String) -> Option<Vec<String>> {
        let mut before: BTreeMap<&String, &String> = BTreeMap::new();
        let mut open = VecDeque::from([node]);
        while let Some(here) = open.pop_front() {
            for next in self.after(here) {
                if next == node {
                    let mut way = vec![node.clone(), here.clone()];
                    while way.last() != Some(node) {
                        way.push(before[&way[way.len() - 1]].clone());
                    }
                    way.reverse();
                    return Some(way);
                }
                if !before.contains_key(next) {
                    before.insert(next, here);
                    open.push_back(next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in arrows {
            graph.add(from, to, "name");
        }
        graph
    }

    #[test]
    fn a_graph_without_a_circle_has_none() {
        assert!(graph(&[("a", "b"), ("a", "c"), ("b", "c"), ("d", "a")]).circles().is_empty());
        assert!(graph(&[("a", "a")]).circles().is_empty(), "a node does not tie itself");
    }

    #[test]
    fn a_circle_is_told_with_its_names() {
        let circles = graph(&[("x", "a"), ("a", "b"), ("b", "a"), ("b", "y")]).circles();
        let [circle] = circles.as_slice() else { panic!("{circles:?}") };
        assert_eq!(
            circle,
            "2 files or modules reach each other:\n    a -> b (name)\n    b -> a (name)"
        );
    }

    #[test]
    fn circles_that_share_no_node_are_told_apart_and_larger_groups_in_one() {
        let arrows =
            [("a", "b"), ("b", "a"), ("c", "d"), ("d", "e"), ("e", "c"), ("e", "f"), ("f", "d")];
        let circles = graph(&arrows).circles();
        assert_eq!(circles.len(), 2, "{circles:?}");
        assert!(circles[1].starts_with("4 files"), "{}", circles[1]);
        assert!(circles[1].ends_with("and: f"), "{}", circles[1]);
    }
}
