//! What a configuration says for one name.

use super::error::{NoMonHost, Origin};
use super::expand::expand;
use super::mon_host::parse_mon_host;
use super::reader::Setting;
use super::resolver::{Resolve, SystemResolver};
use super::{Conf, ConfError};
use axon_auth::AuthName;
use axon_denc::AddrVec;

/// The configuration as it applies to one name.
#[derive(Debug, Clone, Copy)]
pub struct EntityConf<'a> {
    conf: &'a Conf,
    name: &'a AuthName,
}

impl<'a> EntityConf<'a> {
    pub(super) fn new(conf: &'a Conf, name: &'a AuthName) -> Self {
        Self { conf, name }
    }

    /// Whose it is.
    pub fn name(&self) -> &'a AuthName {
        self.name
    }

    /// The whole configuration.
    pub fn conf(&self) -> &'a Conf {
        self.conf
    }

    /// An option's value with its variables replaced; `None` if it is not set.
    pub fn get(&self, option: &str) -> Option<String> {
        let setting = self.setting(option)?;
        Some(self.expand(&setting.value))
    }

    /// The line that sets an option.
    pub fn origin(&self, option: &str) -> Option<Origin> {
        self.setting(option).map(|setting| self.origin_of(setting))
    }

    /// `text` with its variables replaced.
    pub fn expand(&self, text: &str) -> String {
        expand(text, &|variable| self.variable(variable))
    }

    /// The monitors' addresses in the file: those in the option `mon host`, one vector for each monitor as far as it
    /// tells them apart; else those that the sections of the monitors, such as `[mon.a]`, give in their option `mon addr`.
    ///
    /// Names are resolved by the system. See [`EntityConf::monitors`] for where else monitors may be named.
    ///
    /// # Errors
    /// [`ConfError::NoMonHost`], [`ConfError::MonHost`].
    pub fn mon_host(&self) -> Result<Vec<AddrVec>, ConfError> {
        self.mon_host_with(&SystemResolver)
    }

    /// As [`EntityConf::mon_host`], with names resolved by `resolver`.
    ///
    /// # Errors
    /// As there.
    pub fn mon_host_with(&self, resolver: &dyn Resolve) -> Result<Vec<AddrVec>, ConfError> {
        if let Some(setting) = self.setting("mon host") {
            return self.addrs_in("mon host", setting, resolver);
        }
        let mut monitors = Vec::new();
        for setting in self.conf.sections.each("mon.", "mon addr") {
            monitors.extend(self.addrs_in("mon addr", setting, resolver)?);
        }
        match monitors.is_empty() {
            true => Err(NoMonHost::in_file(self.conf.path.clone()).into()),
            false => Ok(monitors),
        }
    }

    fn addrs_in(
        &self,
        option: &'static str,
        setting: &Setting,
        resolver: &dyn Resolve,
    ) -> Result<Vec<AddrVec>, ConfError> {
        let at = || self.origin_of(setting);
        parse_mon_host(&self.expand(&setting.value), resolver).map_err(|problem| ConfError::MonHost {
            at: at(),
            option,
            problem,
        })
    }

    fn setting(&self, option: &str) -> Option<&'a Setting> {
        let entity = self.name.to_string();
        let sections = [entity.as_str(), self.name.kind.as_str(), "global"];
        self.conf.sections.get(&sections, option)
    }

    fn origin_of(&self, setting: &Setting) -> Origin {
        match setting.line {
            0 => Origin { path: Default::default(), line: 0 },
            line => Origin { path: self.conf.path.clone(), line },
        }
    }

    fn variable(&self, variable: &str) -> Option<String> {
        let host = &self.conf.host;
        Some(match variable {
            "cluster" => self.conf.cluster.clone(),
            "type" => self.name.kind.to_string(),
            "id" => self.name.id.clone(),
            "name" => self.name.to_string(),
            "host" => host.name.clone(),
            "pid" => host.pid.to_string(),
            "home" => host.home_text(),
            option => return self.setting(option).map(|setting| setting.value.clone()),
        })
    }
}
