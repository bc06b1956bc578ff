// Package ds18b20 reads the DS18B20 thermometer through the kernel's 1-Wire driver: a file tree comes in, water
// temperatures go out.
//
// Data sheet: Maxim Integrated, DS18B20 Programmable Resolution 1-Wire Digital Thermometer, 19-7487 (sections
// "Operation—Measuring Temperature", "Memory" and "CRC Generation"). Kernel interface:
// Documentation/w1/slaves/w1_therm.rst; reading w1_slave starts a conversion and blocks for it, 750 ms at 12 bits. Byte 6
// of a genuine chip: github.com/cpetrich/counterfeit_DS18B20.
package ds18b20
