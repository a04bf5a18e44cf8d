from . import customer_segment
