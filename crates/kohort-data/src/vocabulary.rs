//! Tokens of a file against the dense ids that models index with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::DataError;

/// What [`Vocabulary::id`] does with a token it has never seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    /// Returns an error.
    #[default]
    Error,
    /// Returns one extra id, the last one, which [`Vocabulary::len`] counts.
    Unknown,
}

/// Tokens in the order of their first appearance: the token that appeared first has id 0.
///
/// ```
/// use kohort_data::{Unseen, Vocabulary};
///
/// let genres: Vocabulary = ["Drama", "Comedy", "Drama"].into_iter().collect();
/// assert_eq!(genres.len(), 2);
/// assert_eq!(genres.get("Comedy"), Some(1));
/// assert_eq!(genres.token(0), Some("Drama"));
/// assert!(genres.id("Western").is_err());
///
/// let open = genres.with_unseen(Unseen::Unknown);
/// assert_eq!(open.id("Western")?, 2);
/// assert_eq!(open.len(), 3, "the id for unknown tokens counts");
/// # Ok::<(), kohort_data::DataError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Tokens", into = "Tokens")]
pub struct Vocabulary {
    tokens: Vec<String>,
    ids: BTreeMap<String, u32>,
    unseen: Unseen,
}

/// The part of a vocabulary that is stored; the way back is rebuilt.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    tokens: Vec<String>,
    unseen: Unseen,
}

impl Vocabulary {
    /// An empty vocabulary that refuses unseen tokens.
    pub fn new() -> Vocabulary {
        Vocabulary::default()
    }

    /// The same tokens with another policy for unseen ones.
    pub fn with_unseen(mut self, unseen: Unseen) -> Vocabulary {
        self.unseen = unseen;
        self
    }

    /// The id of `token`, which is added if it is new.
    pub fn insert(&mut self, token: &str) -> u32 {
        if let Some(&id) = self.ids.get(token) {
            return id;
        }
        let id = self.tokens.len() as u32;
        self.tokens.push(token.to_owned());
        self.ids.insert(token.to_owned(), id);
        id
    }

    /// The id of a token that was seen.
    pub fn get(&self, token: &str) -> Option<u32> {
        self.ids.get(token).copied()
    }

    /// The id of `token`; an unseen one is treated as [`Unseen`] says.
    pub fn id(&self, token: &str) -> Result<u32, DataError> {
        match (self.get(token), self.unseen) {
            (Some(id), _) => Ok(id),
            (None, Unseen::Unknown) => Ok(self.tokens.len() as u32),
            (None, Unseen::Error) => {
                Err(DataError::Unseen { token: token.to_owned(), size: self.tokens.len() })
            }
        }
    }

    /// The token of `id`; `None` for the unknown id and beyond.
    pub fn token(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize).map(String::as_str)
    }

    /// All tokens in id order, which is the order of first appearance.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(String::as_str)
    }

    /// Number of ids, with the extra one for unknown tokens where the policy has it.
    pub fn len(&self) -> usize {
        self.tokens.len() + usize::from(self.unseen == Unseen::Unknown)
    }

    /// Whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a> FromIterator<&'a str> for Vocabulary {
    fn from_iter<I: IntoIterator<Item = &'a str>>(tokens: I) -> Vocabulary {
        let mut vocabulary = Vocabulary::new();
        for token in tokens {
            vocabulary.insert(token);
        }
        vocabulary
    }
}

impl From<Tokens> for Vocabulary {
    fn from(stored: Tokens) -> Vocabulary {
        stored.tokens.iter().map(String::as_str).collect::<Vocabulary>().with_unseen(stored.unseen)
    }
}

impl From<Vocabulary> for Tokens {
    fn from(vocabulary: Vocabulary) -> Tokens {
        Tokens { tokens: vocabulary.tokens, unseen: vocabulary.unseen }
    }
}
