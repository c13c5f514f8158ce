//! The waves of a roll-out: which stations come first.

use super::MaintenanceError;

/// Waves of a roll-out at most.
const MAX_WAVES: usize = 20;

/// How large a wave is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveSize {
    /// So many stations.
    Stations(usize),
    /// So many percent of all stations, one at least.
    Percent(u8),
}

impl std::str::FromStr for WaveSize {
    type Err = MaintenanceError;

    /// `5` are five stations, `5%` are five percent.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            MaintenanceError::Invalid(format!(
                "{text:?} is no size of a wave: write 5 for five stations, 5% for five percent"
            ))
        };
        match text.strip_suffix('%') {
            Some(percent) => match percent.trim().parse() {
                Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
                _ => Err(wrong()),
            },
            None => match text.trim().parse() {
                Ok(stations) if stations > 0 => Ok(Self::Stations(stations)),
                _ => Err(wrong()),
            },
        }
    }
}

/// The wave of each station, in the given order. Who is left after the last size makes a wave of its own.
pub(super) fn divide(stations: Vec<String>, sizes: &[WaveSize]) -> Result<(Vec<(String, i64)>, i64), MaintenanceError> {
    if sizes.len() > MAX_WAVES {
        return Err(MaintenanceError::Invalid(format!(
            "a roll-out has {MAX_WAVES} waves at most, and one of who is left"
        )));
    }
    let all = stations.len();
    let mut divided = Vec::with_capacity(all);
    let mut left = stations.into_iter();
    let mut wave = 0;
    for size in sizes {
        let number = match *size {
            WaveSize::Stations(number) => number,
            WaveSize::Percent(percent) => (all * usize::from(percent)).div_ceil(100),
        };
        let before = divided.len();
        divided.extend(left.by_ref().take(number).map(|station| (station, wave)));
        if divided.len() > before {
            wave += 1;
        }
    }
    let before = divided.len();
    divided.extend(left.map(|station| (station, wave)));
    if divided.len() > before {
        wave += 1;
    }
    Ok((divided, wave))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(stations: usize, sizes: &[&str]) -> Vec<usize> {
        let sizes: Vec<WaveSize> = sizes.iter().map(|size| size.parse().unwrap()).collect();
        let stations = (0..stations).map(|number| number.to_string()).collect();
        let (divided, waves) = divide(stations, &sizes).unwrap();
        (0..waves).map(|wave| divided.iter().filter(|(_, of)| *of == wave).count()).collect()
    }

    #[test]
    fn every_station_is_in_one_wave_and_no_wave_is_empty() {
        assert_eq!(sizes(100, &["1", "10%", "50%"]), [1, 10, 50, 39]);
        assert_eq!(sizes(3, &["5%", "25%"]), [1, 1, 1]);
        assert_eq!(sizes(2, &["5", "50%"]), [2]);
        assert_eq!(sizes(4, &["100%"]), [4]);
        assert_eq!(sizes(4, &[]), [4]);
        assert_eq!(sizes(0, &["1"]), Vec::<usize>::new());
    }

    #[test]
    fn a_size_that_is_none_is_refused_with_an_example() {
        for text in ["0", "0%", "101%", "-1", "all", ""] {
            let error = text.parse::<WaveSize>().unwrap_err();
            assert!(error.to_string().contains("5%"), "{text}: {error}");
        }
        assert!(divide(Vec::new(), &[WaveSize::Stations(1); 21]).is_err());
    }
}
