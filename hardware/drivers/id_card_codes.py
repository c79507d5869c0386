"""Code tables of resident ID cards: sex (GB/T 2261.1) and ethnic group (GB/T 3304, with the two codes cards add)."""

from __future__ import annotations

from enum import StrEnum


class Sex(StrEnum):
    """GB/T 2261.1; a code outside of it is UNKNOWN."""

    UNKNOWN = "unknown"
    MALE = "male"
    FEMALE = "female"
    NOT_STATED = "not_stated"


SEXES = {"0": Sex.UNKNOWN, "1": Sex.MALE, "2": Sex.FEMALE, "9": Sex.NOT_STATED}

_GROUPS = (
    "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 "
    "达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 "
    "珞巴 基诺"
).split()
ETHNIC_GROUPS = {f"{number:02}": group for number, group in enumerate(_GROUPS, 1)} | {
    "97": "其他",
    "98": "外国血统中国籍人士",
}
