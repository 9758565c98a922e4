//! Pages of lists, after the GraphQL Cursor Connections Specification.

use async_graphql::{Result, SimpleObject};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::faults;

/// Items of a page when the client does not say.
const PAGE_ITEMS_DEFAULT: u32 = 50;
/// Items of a page at most; more is an error.
const PAGE_ITEMS_MAX: u32 = 100;

/// Where a page stands in its list.
#[derive(SimpleObject, Clone, Debug)]
pub struct PageInfo {
    /// Whether there are items behind this page.
    pub has_next_page: bool,
    /// Whether there are items before this page.
    pub has_previous_page: bool,
    /// The cursor of the page's first item.
    pub start_cursor: Option<String>,
    /// The cursor of the page's last item.
    pub end_cursor: Option<String>,
}

/// Declares a connection and its edge.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty) => {
        /// One item of a list with its place in it.
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $edge {
            /// The item.
            pub node: $node,
            /// The item's place: give it as `after` or `before` to go on from here.
            pub cursor: String,
        }

        /// One page of a list.
        #[derive(async_graphql::SimpleObject)]
        pub struct $connection {
            /// The items of the page with their places.
            pub edges: Vec<$edge>,
            /// The items of the page alone.
            pub nodes: Vec<$node>,
            /// Where the page stands in the list.
            pub page_info: $crate::graphql::connection::PageInfo,
        }

        impl $connection {
            /// A page from its edges.
            pub fn of(edges: Vec<$edge>, has_previous_page: bool, has_next_page: bool) -> Self {
                let cursor = |edge: Option<&$edge>| edge.map(|edge| edge.cursor.clone());
                let page_info = $crate::graphql::connection::PageInfo {
                    has_next_page,
                    has_previous_page,
                    start_cursor: cursor(edges.first()),
                    end_cursor: cursor(edges.last()),
                };
                Self { nodes: edges.iter().map(|edge| edge.node.clone()).collect(), edges, page_info }
            }
        }
    };
}

pub(super) use connection;

/// How many items a client asks for; 0 to 100.
pub(super) fn page_items(asked: Option<i32>) -> Result<u32> {
    match asked.map(u32::try_from) {
        None => Ok(PAGE_ITEMS_DEFAULT),
        Some(Ok(items)) if items <= PAGE_ITEMS_MAX => Ok(items),
        Some(Ok(_) | Err(_)) => Err(faults::bad_input("a page has 0 to 100 items")),
    }
}

/// Cuts the rows of a page, of which one more than `items` was asked for, and says whether there is more.
pub(super) fn cut<T>(rows: &mut Vec<T>, items: u32) -> bool {
    let more = rows.len() > items as usize;
    rows.truncate(items as usize);
    more
}

/// Makes a cursor of the number that a list is ordered by.
pub(super) fn cursor(list: &str, key: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{key}"))
}

/// Reads a cursor of the same list.
pub(super) fn read_cursor(list: &str, cursor: Option<&str>) -> Result<Option<i64>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| {
        let text = String::from_utf8(bytes).ok()?;
        text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
    });
    key.map(Some).ok_or_else(|| faults::bad_input("the cursor is not of this list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_one_list() {
        let made = cursor("friends", 7);
        assert_eq!(read_cursor("friends", Some(&made)).unwrap(), Some(7));
        assert!(read_cursor("messages", Some(&made)).is_err());
        assert!(read_cursor("friends", Some("nonsense")).is_err());
        assert_eq!(read_cursor("friends", None).unwrap(), None);
    }

    #[test]
    fn a_page_has_at_most_a_hundred_items() {
        assert_eq!(page_items(None).unwrap(), 50);
        assert_eq!(page_items(Some(100)).unwrap(), 100);
        assert!(page_items(Some(101)).is_err() && page_items(Some(-1)).is_err());
    }
}
