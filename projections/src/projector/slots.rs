//! Where each projection that this node leads stands, and which batch comes next.

use std::sync::Arc;

use domain::Position;

use crate::projection::{Catalogue, Projection};

/// A projection that this node leads.
struct Slot {
    projection: Arc<dyn Projection>,
    position: Position,
    running: bool,
}

/// All of them.
#[derive(Default)]
pub(super) struct Slots(Vec<Slot>);

/// The next batch: who takes it and where it begins.
pub(super) struct Page {
    pub(super) group: Catalogue,
    pub(super) after: Position,
    pub(super) limit: u32,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn holds(&self, name: &str) -> bool {
        self.0.iter().any(|slot| slot.projection.name() == name)
    }

    pub(super) fn add(&mut self, projection: Arc<dyn Projection>, position: Position) {
        self.0.push(Slot { projection, position, running: true });
    }

    /// The batch of those that stand furthest back. It ends where the next ones stand, so that all of them
    /// go on together. None while everything has stopped.
    pub(super) fn page(&self, limit: u32) -> Option<Page> {
        let after = self.reached()?;
        let running = || self.0.iter().filter(|slot| slot.running);
        let group = running().filter(|slot| slot.position == after);
        let next = running().map(|slot| slot.position).filter(|position| *position > after).min();
        let gap = next.map_or(limit, |next| u32::try_from(next.0 - after.0).unwrap_or(limit));
        Some(Page {
            group: group.map(|slot| slot.projection.clone()).collect(),
            after,
            limit: limit.min(gap),
        })
    }

    /// The position that all running ones have reached.
    pub(super) fn reached(&self) -> Option<Position> {
        self.0.iter().filter(|slot| slot.running).map(|slot| slot.position).min()
    }

    pub(super) fn advance(&mut self, group: &[Arc<dyn Projection>], to: Position) {
        for slot in &mut self.0 {
            if group.iter().any(|projection| projection.name() == slot.projection.name()) {
                slot.position = to;
            }
        }
    }

    pub(super) fn stop(&mut self, name: &str) {
        for slot in self.0.iter_mut().filter(|slot| slot.projection.name() == name) {
            slot.running = false;
        }
    }

    /// The names of those that have stopped.
    pub(super) fn stopped(&self) -> Vec<&'static str> {
        self.0.iter().filter(|slot| !slot.running).map(|slot| slot.projection.name()).collect()
    }

    /// Lets one that had stopped go on from a position.
    pub(super) fn resume(&mut self, name: &str, from: Position) {
        for slot in self.0.iter_mut().filter(|slot| slot.projection.name() == name) {
            (slot.running, slot.position) = (true, from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::catalogue;

    fn names(page: &Page) -> Vec<&'static str> {
        page.group.iter().map(|projection| projection.name()).collect()
    }

    #[test]
    fn who_is_behind_goes_first_and_ends_where_the_next_one_stands() {
        let mut slots = Slots::default();
        for (projection, position) in catalogue().into_iter().zip([10, 10, 0, 10, 4]) {
            slots.add(projection, Position(position));
        }
        let page = slots.page(1_000).unwrap();
        assert_eq!((names(&page), page.after, page.limit), (vec!["conversation_list_2"], Position(0), 4));
        slots.advance(&page.group, Position(4));
        let page = slots.page(1_000).unwrap();
        assert_eq!((names(&page), page.limit), (vec!["conversation_list_2", "account_streams_2"], 6));
        slots.advance(&page.group, Position(10));
        let page = slots.page(1_000).unwrap();
        assert_eq!((page.group.len(), page.after, page.limit), (5, Position(10), 1_000));
    }

    #[test]
    fn who_stopped_is_not_waited_for() {
        let mut slots = Slots::default();
        for (projection, position) in catalogue().into_iter().zip([10, 3]) {
            slots.add(projection, Position(position));
        }
        slots.stop("friends_1");
        assert_eq!(slots.reached(), Some(Position(10)));
        slots.resume("friends_1", Position(5));
        assert_eq!(slots.reached(), Some(Position(5)));
    }
}
