"""A function that looks values up in a table which each worker process loads when it starts, and keeps."""

from pyflink.table import DataTypes
from pyflink.table.udf import ScalarFunction, udf

TABLE_MIB = 640
MIB = 1 << 20


class LookedUp(ScalarFunction):
    def open(self, function_context):
        # Each block is written to, so that its pages are there and no other's.
        self.table = [bytes([number % 251]) * MIB for number in range(TABLE_MIB)]

    def eval(self, key):
        return self.table[key % TABLE_MIB][key % MIB]


looked_up = udf(LookedUp(), result_type=DataTypes.BIGINT())
