//! Persisted documents: the file that a client's compiler wrote.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// How the id of a document names its hash (GraphQL over HTTP, appendix on persisted documents).
pub(super) const HASH: &str = "sha256:";

/// Why a file of persisted documents cannot be used; tell the operator.
#[derive(Debug, Error)]
pub enum DocumentsError {
    /// The file cannot be read.
    #[error("the documents in {} cannot be read: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not one JSON object of texts.
    #[error("{} is not a JSON object of document texts: {error}", file.display())]
    NotDocuments {
        /// The file.
        file: PathBuf,
        /// Where it differs.
        error: serde_json::Error,
    },
    /// An id is not the hash of its text, so clients that hash for themselves would not find it.
    #[error("the document {id} has another SHA-256: {expected}")]
    WrongId {
        /// The id in the file.
        id: String,
        /// The id that belongs to the text.
        expected: String,
    },
}

/// Reads a JSON object that holds each document's text under its id: the SHA-256 of the text in lower case
/// hexadecimal digits, with or without `sha256:` before it.
///
/// Relay (`persistConfig` with `SHA256`) and the client preset of GraphQL Code Generator
/// (`persistedDocuments`) write such files.
///
/// # Errors
/// See [`DocumentsError`]; the server should not start.
pub fn persisted_documents(file: &Path) -> Result<HashMap<String, Arc<str>>, DocumentsError> {
    let text = fs::read_to_string(file)
        .map_err(|error| DocumentsError::Unreadable { file: file.to_owned(), error })?;
    let documents: HashMap<String, String> = serde_json::from_str(&text)
        .map_err(|error| DocumentsError::NotDocuments { file: file.to_owned(), error })?;
    let checked = documents.into_iter().map(|(id, text)| {
        let expected = id_of(&text);
        if expected.strip_prefix(HASH) != Some(id.strip_prefix(HASH).unwrap_or(&id)) {
            return Err(DocumentsError::WrongId { id, expected });
        }
        Ok((expected, Arc::from(text)))
    });
    checked.collect()
}

fn id_of(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let digits: String = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect();
    format!("{HASH}{digits}")
}

fn digit(value: u8) -> char {
    char::from_digit(value.into(), 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{ __typename }";
    const ID: &str = "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b";

    fn read(content: &str) -> Result<HashMap<String, Arc<str>>, DocumentsError> {
        let name = format!("annal-documents-{}-{}.json", std::process::id(), content.len());
        let file = std::env::temp_dir().join(name);
        fs::write(&file, content).unwrap();
        let documents = persisted_documents(&file);
        fs::remove_file(&file).unwrap();
        documents
    }

    #[test]
    fn a_document_is_known_by_the_sha_256_of_its_text() {
        for id in [ID.to_owned(), format!("{HASH}{ID}")] {
            let documents = read(&serde_json::json!({ id: TEXT }).to_string()).unwrap();
            assert_eq!(documents.get(&format!("{HASH}{ID}")).map(AsRef::as_ref), Some(TEXT));
        }
        assert!(read("{}").unwrap().is_empty());
    }

    #[test]
    fn a_file_that_will_not_do_says_why() {
        let other = serde_json::json!({ ID: "{ other }" }).to_string();
        assert!(matches!(read(&other), Err(DocumentsError::WrongId { id, .. }) if id == ID));
        assert!(matches!(read("[1]"), Err(DocumentsError::NotDocuments { .. })));
        let nowhere = persisted_documents(Path::new("/nowhere/documents.json"));
        assert!(matches!(nowhere, Err(DocumentsError::Unreadable { .. })));
    }
}
