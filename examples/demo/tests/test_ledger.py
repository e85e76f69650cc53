import unittest

from ledger import total


class TotalTest(unittest.TestCase):
    def test_sales_add_up(self) -> None:
        self.assertEqual(total([("sale", 1250), ("sale", 750)]), 2000)

    def test_a_refund_lowers_the_balance(self) -> None:
        self.assertEqual(total([("sale", 1250), ("refund", 250)]), 1000)


if __name__ == "__main__":
    unittest.main()
