//! hwmon devices: power chips, the fan, the over-current counters.

use super::{Builder, CONTROL, READ};
use crate::devices::power_chip::{ChannelFile, PowerChip};
use crate::devices::{Part, Role};

/// Where a power chip is.
pub(crate) struct ChipPlace {
    /// The real folder of its I²C device, which ends in `1-0040`.
    pub(crate) device: &'static str,
    /// The number of its hwmon or IIO device.
    pub(crate) number: usize,
}

impl ChipPlace {
    fn address(&self) -> &'static str {
        self.device.rsplit('/').next().unwrap_or(self.device)
    }
}

impl Builder {
    /// An hwmon device of a name, in its real folder; gives that folder.
    fn hwmon(&mut self, device: &str, number: usize, name: &str) -> String {
        let folder = format!("{device}/hwmon/hwmon{number}");
        self.line(format!("{folder}/name"), name);
        self.link(format!("{folder}/device"), device, Part::Board);
        self.link(format!("/sys/class/hwmon/hwmon{number}"), folder.clone(), Part::Board);
        folder
    }

    fn i2c_links(&mut self, place: &ChipPlace, driver: &str) {
        let address = place.address();
        for parent in ["/sys/bus/i2c/devices", &format!("/sys/bus/i2c/drivers/{driver}")] {
            self.link(format!("{parent}/{address}"), place.device, Part::Board);
        }
    }

    /// An INA3221 of the driver since kernel 5.10.
    pub(crate) fn ina3221(&mut self, place: &ChipPlace, chip: PowerChip) {
        let index = self.devices.chips.len();
        let folder = self.hwmon(place.device, place.number, "ina3221");
        self.i2c_links(place, "ina3221");
        let role = |channel, file| Role::Channel { chip: index, channel, file };
        for (at, channel) in chip.channels.iter().enumerate() {
            let n = at + 1;
            self.line(format!("{folder}/in{n}_label"), channel.label);
            for (name, file) in [
                (format!("in{n}_input"), ChannelFile::Millivolts),
                (format!("curr{n}_input"), ChannelFile::Milliamperes),
                (format!("in{}_input", n + 3), ChannelFile::ShuntMicrovolts),
            ] {
                self.node(format!("{folder}/{name}"), role(at, file), READ, Part::Board);
            }
            self.control(format!("{folder}/in{n}_enable"), "1", Part::Board);
            self.control(format!("{folder}/curr{n}_max"), "32760", Part::Board);
            self.control(format!("{folder}/curr{n}_crit"), "32760", Part::Board);
            self.line(format!("{folder}/curr{n}_max_alarm"), "0");
            self.line(format!("{folder}/curr{n}_crit_alarm"), "0");
            let shunt = chip.shunt_microohms().to_string();
            self.control(format!("{folder}/shunt{n}_resistor"), &shunt, Part::Board);
        }
        self.line(format!("{folder}/in7_label"), "sum of shunt voltages");
        let sum = role(0, ChannelFile::SumMicrovolts);
        self.node(format!("{folder}/in7_input"), sum, READ, Part::Board);
        let sum = role(0, ChannelFile::SumMilliamperes);
        self.node(format!("{folder}/curr4_input"), sum, READ, Part::Board);
        self.control(format!("{folder}/curr4_crit"), "3380", Part::Board);
        self.line(format!("{folder}/curr4_crit_alarm"), "0");
        self.control(format!("{folder}/samples"), "512", Part::Board);
        self.control(format!("{folder}/update_interval"), "430", Part::Board);
        self.devices.chips.push(chip);
    }

    /// An INA3221 of the old driver: an IIO device with power of its own.
    pub(crate) fn ina3221x(&mut self, place: &ChipPlace, chip: PowerChip) {
        let index = self.devices.chips.len();
        let folder = format!("{}/iio:device{}", place.device, place.number);
        self.i2c_links(place, "ina3221x");
        self.line(format!("{folder}/name"), "ina3221x");
        self.link(
            format!("/sys/bus/iio/devices/iio:device{}", place.number),
            folder.clone(),
            Part::Board,
        );
        for (channel, it) in chip.channels.iter().enumerate() {
            self.line(format!("{folder}/rail_name_{channel}"), it.label);
            for (name, file) in [
                ("in_voltage", ChannelFile::Millivolts),
                ("in_current", ChannelFile::Milliamperes),
                ("in_power", ChannelFile::Milliwatts),
            ] {
                let role = Role::Channel { chip: index, channel, file };
                self.node(format!("{folder}/{name}{channel}_input"), role, READ, Part::Board);
            }
            for limit in ["warn", "crit"] {
                let path = format!("{folder}/{limit}_current_limit_{channel}");
                self.control(path, "32760 ma", Part::Board);
            }
        }
        self.devices.chips.push(chip);
    }

    /// An INA238: one rail, with power of its own.
    pub(crate) fn ina238(&mut self, place: &ChipPlace, chip: PowerChip) {
        let index = self.devices.chips.len();
        let folder = self.hwmon(place.device, place.number, "ina238");
        self.i2c_links(place, "ina238");
        for (name, file) in [
            ("in1_input", ChannelFile::Millivolts),
            ("curr1_input", ChannelFile::Milliamperes),
            ("power1_input", ChannelFile::Microwatts),
        ] {
            let role = Role::Channel { chip: index, channel: 0, file };
            self.node(format!("{folder}/{name}"), role, READ, Part::Board);
        }
        for channel in &chip.channels {
            self.line(format!("{folder}/in1_label"), channel.label);
            self.line(format!("{folder}/power1_label"), channel.label);
        }
        self.devices.chips.push(chip);
    }

    /// The fan's drive, and its speed on an hwmon of its own.
    pub(crate) fn pwm_fan(&mut self, drive_number: usize, speed_number: usize) {
        let folder = self.hwmon("/sys/devices/platform/pwm-fan", drive_number, "pwmfan");
        self.node(format!("{folder}/pwm1"), Role::FanDrive, CONTROL, Part::Board);
        self.control(format!("{folder}/pwm1_enable"), "1", Part::Board);
        let tachometer = "/sys/devices/platform/39c0000.tachometer";
        let folder = self.hwmon(tachometer, speed_number, "pwm_tach");
        self.node(format!("{folder}/rpm"), Role::FanSpeed, READ, Part::Board);
    }

    /// The fan of JetPack 4.
    pub(crate) fn legacy_fan(&mut self) {
        let folder = "/sys/devices/pwm-fan";
        self.node(format!("{folder}/target_pwm"), Role::FanDrive, CONTROL, Part::Board);
        self.node(format!("{folder}/rpm_measured"), Role::FanSpeed, READ, Part::Board);
        self.control(format!("{folder}/temp_control"), "1", Part::Board);
    }

    /// The over-current counters.
    pub(crate) fn soctherm(&mut self, number: usize) {
        let device = "/sys/devices/platform/soctherm-oc-event";
        let folder = self.hwmon(device, number, "soctherm_oc");
        for index in 0..3 {
            let n = index + 1;
            let count = format!("{folder}/oc{n}_event_cnt");
            self.node(count, Role::OverCurrent(index), READ, Part::Board);
            self.line(format!("{folder}/oc{n}_throt_en"), "1");
        }
    }
}
