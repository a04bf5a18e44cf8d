/** What `customer.segment.preview` wants to know of a form that is not saved yet. */
export function previewValues(record) {
    const {data} = record;
    const values = {};
    for (const name of ["domain", "kind", "model", "tz", "lang", "sequence"]) {
        if (data[name]) {
            values[name] = data[name];
        }
    }
    for (const name of ["company_id", "set_id"]) {
        if (name in data) {
            values[name] = data[name] ? data[name].id : false;
        }
    }
    const kind = data.model === "crm.lead" ? "lead" : "partner";
    const lists = {
        included_ids: data[`included_${kind}_ids`],
        excluded_ids: data[`excluded_${kind}_ids`],
        exclude_segment_ids: data.exclude_segment_ids,
    };
    for (const [name, list] of Object.entries(lists)) {
        if (list) {
            values[name] = [...list.currentIds].filter(Number.isInteger);
        }
    }
    return values;
}
