from . import (
    customer_segment,
    customer_segment_condition,
    customer_segment_dependency,
    customer_segment_event,
    customer_segment_member_mixin,
    customer_segment_membership,
    customer_segment_question,
    customer_segment_refresh,
    customer_segment_set,
)
