"""A Modbus RTU slave of pymodbus on the serial port of the first argument, at the speed of the second.

Unit 17: holding registers 0..9 are 100..109, input registers 0..9 are 200..209, coils 0..9 are every other one.
Prints "ready" once it listens; ends when its standard input does.
"""
import asyncio
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.server import async_io


async def main():
    unit = ModbusSlaveContext(
        hr=ModbusSequentialDataBlock(0, list(range(100, 110))),
        ir=ModbusSequentialDataBlock(0, list(range(200, 210))),
        co=ModbusSequentialDataBlock(0, [i % 2 for i in range(10)]),
        zero_mode=True,
    )
    server = async_io.ModbusSerialServer(
        ModbusServerContext(slaves={17: unit}, single=False),
        framer=ModbusRtuFramer, port=sys.argv[1], baudrate=int(sys.argv[2]), parity="N", stopbits=1, bytesize=8,
        ignore_missing_slaves=True,
    )
    await server.start()
    serving = asyncio.ensure_future(server.serve_forever())
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.cancel()


asyncio.run(main())
