//! Groups that have no member but the user.

/// Says that nobody else is in the group, by the files of the system. A user or a member that only
/// a directory service knows is not seen there, and neither is such a group: then it counts as one
/// with other members.
pub(crate) fn is_mine_alone(group: u32) -> bool {
    let me = rustix::process::geteuid().as_raw();
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    has_one_member(group, me, &read("/etc/passwd"), &read("/etc/group"))
}

/// Judges a group by the text of `/etc/passwd` and `/etc/group`.
fn has_one_member(group: u32, user: u32, users: &str, groups: &str) -> bool {
    let users: Vec<Vec<&str>> = users.lines().map(|line| line.split(':').collect()).collect();
    let number = |fields: &[&str], at: usize| fields.get(at).and_then(|text| text.parse().ok());
    let name = users.iter().find(|fields| number(fields, 2) == Some(user)).map(|fields| fields[0]);
    let mut groups = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let (Some(name), Some(described)) =
        (name, groups.find(|fields| number(fields, 2) == Some(group)))
    else {
        return false;
    };
    let first: Vec<_> = users.iter().filter(|fields| number(fields, 3) == Some(group)).collect();
    let further: Vec<_> = described.get(3).map_or(Vec::new(), |members| {
        members.split(',').filter(|member| !member.is_empty()).collect()
    });
    let is_me = |fields: &&Vec<&str>| number(fields, 2) == Some(user);
    first.len() + further.len() > 0
        && first.iter().all(is_me)
        && further.iter().all(|member| *member == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\n\
                         ann:x:1000:1000::/home/ann:/bin/sh\n\
                         bob:x:1001:1001::/home/bob:/bin/sh\n\
                         cid:x:1002:100::/home/cid:/bin/sh\n";
    const GROUPS: &str = "root:x:0:\nusers:x:100:ann\nann:x:1000:\nbob:x:1001:ann,bob\n\
                          only:x:50:ann\nempty:x:51:\nbroken\n";

    #[test]
    fn a_group_of_the_user_has_no_other_members() {
        for (group, expected) in [
            (1000, true),
            (50, true),
            // Bob's own group, of which Ann is a member.
            (1001, false),
            // Cid's first group.
            (100, false),
            (51, false),
            (0, false),
            // Known to no file.
            (77, false),
        ] {
            assert_eq!(has_one_member(group, 1000, USERS, GROUPS), expected, "group {group}");
        }
        assert!(has_one_member(0, 0, USERS, GROUPS));
        assert!(!has_one_member(1000, 9999, USERS, GROUPS), "the user is unknown");
        assert!(!has_one_member(0, 0, "", ""));
    }
}
