// Package ds18b20 reads the DS18B20 thermometer: the file tree of the kernel's 1-Wire driver comes in (Dev), or a bus that
// periph drives (Wire); water temperatures go out.
//
// Data sheet: Maxim Integrated, DS18B20 Programmable Resolution 1-Wire Digital Thermometer, 19-7487 (sections
// "Operation—Measuring Temperature", "Memory" and "CRC Generation"). Kernel interface:
// Documentation/w1/slaves/w1_therm.rst; reading w1_slave starts a conversion and blocks for it, 750 ms at 12 bits. Byte 6
// of a genuine chip: github.com/cpetrich/counterfeit_DS18B20.
//
// On a bus of its own code the chip is addressed by its ROM, converts, and gives its scratchpad; nothing is ever written to
// it. periph's own driver is not used: it takes nine zeros of a shorted wire for 0 °C, a true 85 °C for a fault, and writes
// the chip's EEPROM when the resolution is not the one it was told.
package ds18b20
