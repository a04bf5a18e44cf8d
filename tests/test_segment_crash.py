"""Servers killed in the middle of a refresh, and of acting on entry."""

from concurrent.futures import ThreadPoolExecutor

import requests

from .segment_served import SegmentServedCase
from .served import TIMEOUT, WebClient

MANY = 20_000
ENTERED = 250  # two batches and a half
SUMMARY = "Call after the crash"


class TestSegmentCrash(SegmentServedCase):
    def test_server_killed_in_the_middle(self):
        """Members are those before or those after, never some of both."""
        self.contacts("Killed", MANY)
        before = self.expected_members("Killed", "Tabriz")
        segment = self.segment("Killed", "Tabriz")
        victim, survivor = self.servers
        client = WebClient(survivor.url, self.db)
        client.call("customer.segment", "refresh", [segment])
        self.assertEqual(self.members(segment), before)
        self.wait_for_workers()
        events = "SELECT count(*) FROM customer_segment_event WHERE segment_id = %s"
        told = self.value(events, segment)
        self.rows(
            "UPDATE res_partner SET city = CASE city WHEN 'Tabriz' THEN 'Qom' "
            "ELSE 'Tabriz' END WHERE name LIKE 'Killed%%' RETURNING id"
        )
        after = self.expected_members("Killed", "Tabriz")
        last = max(after)
        with ThreadPoolExecutor(1) as pool:
            with self.held(
                "SELECT FROM res_partner WHERE id = %s FOR UPDATE", last
            ) as wait_for_waiting:
                doomed = WebClient(victim.url, self.db)
                answer = pool.submit(
                    doomed.call, "customer.segment", "refresh", [segment]
                )
                wait_for_waiting()
                victim.kill()
            with self.assertRaises(requests.RequestException):
                answer.result(TIMEOUT)
        self.assertEqual(self.members(segment), before)
        self.assertEqual(self.value(events, segment), told)
        client.call("customer.segment", "refresh", [segment])
        self.assertEqual(self.members(segment), after)
        self.assertHistoryExplains(segment)
        victim.start()

    def test_everything_killed_while_acting_on_entry(self):
        """The worker dies in its last batch: nobody is forgotten, nobody gets two."""
        ids = self.contacts("Acted", ENTERED)
        segment = self.segment("Acted", "Qom")
        self.wait_for_workers()
        tag, action = self.react(segment)
        self.rows(
            "UPDATE res_partner SET city = 'Qom' WHERE id = ANY(%s) RETURNING id", ids
        )
        self.web.call("customer.segment", "refresh", [segment])
        # More than it may reach unasked.
        asking = "SELECT is_asking FROM customer_segment_action WHERE id = %s"
        self.wait_for(lambda: self.value(asking, action))
        last = self.value(
            "SELECT partner_id FROM customer_segment_action_job WHERE action_id = %s "
            "ORDER BY id DESC LIMIT 1",
            action,
        )
        with self.held(
            "SELECT FROM res_partner WHERE id = %s FOR UPDATE", last
        ) as wait_for_waiting:
            self.web.call("customer.segment.action", "action_approve", [action])
            wait_for_waiting()
            for server in self.servers:
                server.kill()
        done = self.assertActed(segment, tag, action)
        self.assertTrue(0 < done < ENTERED, done)
        for server in self.servers:
            server.start(wait=False)
        for server in self.servers:
            server.wait()
        # A server looks by itself every minute; whatever is saved wakes it.
        self.web.call("res.partner", "write", ids[:1], {"comment": "Back again"})
        waiting = "SELECT count(*) FROM customer_segment_action_job"
        self.wait_for(lambda: not self.value(waiting))
        self.assertEqual(self.assertActed(segment, tag, action), ENTERED)

    def react(self, segment):
        """Whoever enters gets a tag and an activity.

        :return: ids of the tag and of the action
        :rtype: tuple[int, int]
        """
        web = self.web
        tag = web.make("res.partner.category", name="Entered")
        (model,) = web.call("ir.model", "search", [("model", "=", "res.partner")])
        values = {"model_id": model, "usage": "ir_actions_server"}
        kind = web.call("mail.activity.type", "search", [], limit=1)[0]
        steps = [
            web.make(
                "ir.actions.server",
                name="Call",
                state="next_activity",
                activity_type_id=kind,
                activity_summary=SUMMARY,
                **values,
            ),
            web.make(
                "ir.actions.server",
                name="Tag",
                state="object_write",
                update_path="category_id",
                update_m2m_operation="add",
                value=str(tag),
                **values,
            ),
        ]
        both = web.make(
            "ir.actions.server",
            name="Call and tag",
            state="multi",
            child_ids=[(6, 0, steps)],
            **values,
        )
        offer = web.make(
            "customer.segment.offer", name="Call and tag", server_action_id=both
        )
        action = web.make("customer.segment.action", segment_id=segment, offer_id=offer)
        return tag, action

    def assertActed(self, segment, tag, action):
        """Whoever does not wait any more has one activity and the tag, others neither.

        :return: how many were acted on
        :rtype: int
        """
        acted = self.members(segment) - {
            row[0]
            for row in self.rows(
                "SELECT partner_id FROM customer_segment_action_job "
                "WHERE action_id = %s",
                action,
            )
        }
        called = self.rows(
            "SELECT res_id FROM mail_activity "
            "WHERE res_model = 'res.partner' AND summary = %s",
            SUMMARY,
        )
        tagged = self.rows(
            "SELECT partner_id FROM res_partner_res_partner_category_rel "
            "WHERE category_id = %s",
            tag,
        )
        self.assertEqual(sorted(row[0] for row in called), sorted(acted))
        self.assertEqual(sorted(row[0] for row in tagged), sorted(acted))
        count = "SELECT done_count FROM customer_segment_action WHERE id = %s"
        self.assertEqual(self.value(count, action), len(acted))
        return len(acted)
