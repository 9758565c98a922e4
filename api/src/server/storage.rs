//! The database and the master key: found, or made at the first start.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use eventlog::cluster::{Attached, Cluster, ClusterConfig, ClusterError, Keeper};
use eventlog::{LogError, MasterKey, MasterKeyError, MasterKeys, PgConnectOptions};

use crate::settings::DataSettings;

/// The database of the private cluster.
const DATABASE: &str = "annal";

/// Why the data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// `DATABASE_URL` is no PostgreSQL address.
    #[error("DATABASE_URL is not a PostgreSQL address")]
    Address,
    /// The private PostgreSQL does not run.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The database cannot be reached or migrated.
    #[error("the database cannot be used: {0}")]
    Log(#[from] LogError),
    /// There is no usable master key.
    #[error("{error} ({})", file.display())]
    MasterKey {
        /// Where it was looked for.
        file: PathBuf,
        /// What is wrong.
        error: MasterKeyError,
    },
    /// A new key for old data would make it unreadable.
    #[error(
        "the database holds data, but there is no master key in {}: put the key's copy there", .0.display()
    )]
    MasterKeyLost(PathBuf),
}

/// The database in use, with its schema up to date.
pub struct Storage {
    options: PgConnectOptions,
    cluster: Option<Keeper>,
    key_file: PathBuf,
    key_text: Option<String>,
    old_key_file: Option<PathBuf>,
}

impl Storage {
    /// Starts the private PostgreSQL unless another is named, and brings the schema up to date.
    pub async fn open(settings: &DataSettings) -> Result<Self, StorageError> {
        if let Some(url) = &settings.database_url {
            let options = PgConnectOptions::from_str(url).map_err(|_| StorageError::Address)?;
            return Self::prepare(settings, options, None).await;
        }
        let cluster = Cluster::start(ClusterConfig::new(private(settings))).await?;
        cluster.ensure_database(DATABASE).await?;
        Self::prepare(settings, cluster.connect_options(DATABASE), Some(cluster)).await
    }

    /// The same for a command that may run beside a server: a private PostgreSQL that runs is shared.
    pub async fn join(settings: &DataSettings) -> Result<Self, StorageError> {
        match Attached::find(&private(settings)).await {
            Some(running) if settings.database_url.is_none() => {
                Self::prepare(settings, running.connect_options(DATABASE), None).await
            }
            Some(_) | None => Self::open(settings).await,
        }
    }

    async fn prepare(
        settings: &DataSettings,
        options: PgConnectOptions,
        cluster: Option<Cluster>,
    ) -> Result<Self, StorageError> {
        eventlog::migrate(&options).await?;
        let (key_file, old_key_file) = (settings.key_file(), settings.old_master_key_file.clone());
        let cluster = cluster.map(Keeper::of);
        Ok(Self { options, cluster, key_file, key_text: settings.master_key.clone(), old_key_file })
    }

    /// How to connect to the database.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The master key, and the one before it if its file is named.
    pub async fn master_keys(&self) -> Result<MasterKeys, StorageError> {
        let current = self.master_key().await?;
        match &self.old_key_file {
            Some(file) => Ok(MasterKeys::from(current).with_old(read_master_key(file)?)),
            None => Ok(current.into()),
        }
    }

    /// The master key: from the setting, else from its file, which is made for a database without keys.
    pub async fn master_key(&self) -> Result<MasterKey, StorageError> {
        let file = &self.key_file;
        let failed = |error| StorageError::MasterKey { file: file.clone(), error };
        if let Some(text) = &self.key_text {
            return MasterKey::from_base64(text).map_err(failed);
        }
        if file.exists() {
            return read_master_key(file);
        }
        if eventlog::has_keys(&self.options).await? {
            return Err(StorageError::MasterKeyLost(file.clone()));
        }
        if let Some(folder) = file.parent().filter(|folder| !folder.exists()) {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| failed(error.into()))?;
        }
        let key = MasterKey::create(file).map_err(failed)?;
        tracing::info!(file = %fs::canonicalize(file).unwrap_or_else(|_| file.clone()).display(), "made the master key");
        Ok(key)
    }

    /// Stops the private PostgreSQL, if there is one.
    pub async fn close(self) -> Result<(), StorageError> {
        if let Some(cluster) = self.cluster {
            cluster.stop().await?;
        }
        Ok(())
    }
}

/// Reads a master key from its file.
pub fn read_master_key(file: &Path) -> Result<MasterKey, StorageError> {
    MasterKey::read(file).map_err(|error| StorageError::MasterKey { file: file.to_owned(), error })
}

/// The folder of the private PostgreSQL.
fn private(settings: &DataSettings) -> PathBuf {
    settings.folder().join("postgres")
}
